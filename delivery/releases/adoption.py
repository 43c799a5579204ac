"""A proposal becomes the release of its stack, once every check of it holds."""

from delivery.releases import proposals
from delivery.releases.accounts import Account
from delivery.releases.check import Finding, check, require_good
from delivery.releases.proposals import Proposal
from models.release import ReleaseError, load_releases, write_releases
from models.spec import ModelSpec


def choose(account: Account, model: str, execution: str) -> Proposal:
    """The proposal of the execution, the newest where none is named. ReleaseError lists the proposals there are."""
    found = proposals.list_proposals(account.client("s3"), account.names.bucket("artifacts"), model)
    for proposal in found:
        if execution in ("", proposal.execution):
            return proposal
    known = ", ".join(proposal.execution for proposal in found) or "none"
    raise ReleaseError(f"no proposal for {model} from execution {execution or '(any)'}; proposals: {known}")


def check_proposal(account: Account, spec: ModelSpec, proposal: Proposal) -> list[Finding]:
    """Everything that is wrong with what is proposed."""
    return check(account, proposal.location, {spec.name: spec}, spec.name, proposal.release, anew=True)


def adopt(account: Account, spec: ModelSpec, proposal: Proposal) -> bool:
    """Write the proposal into the release file after checking it; False when the file holds it already.

    RefusedReleaseError when anything is wrong with it: the file stays as it is.
    """
    releases = load_releases(account.releases_file)
    if releases.get(spec.name) == proposal.release:
        return False
    require_good(account, proposal.location, spec, proposal.release)
    write_releases(account.releases_file, {**releases, spec.name: proposal.release})
    return True
