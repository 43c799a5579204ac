"""The table behind docs/least-privilege.md: what each role must be refused, and what it must be let.

Each call is really made, with a session of the role, on a rehearsal with the stack dev and its bootstrap applied.
"""

from typing import Final

from infra.names import Names
from tests.infra.applied.must_deny.calls import EVERY_JOB, MODEL, Case, cases, own_policy
from tests.infra.applied.must_deny.delivery import DEPLOY, PREVIEW, PROMOTION
from tests.infra.applied.must_deny.jobs import JOBS
from tests.infra.applied.must_deny.pipelines import EVENTS, PIPELINE

CASES: Final[tuple[Case, ...]] = (
    *(case for job, rows in JOBS.items() for case in cases(job, {**rows, **EVERY_JOB, **own_policy(f"{MODEL}-{job}")})),
    *cases("pipeline", {**PIPELINE, **EVERY_JOB, **own_policy(f"{MODEL}-pipeline")}),
    *cases("events", {**EVENTS, **EVERY_JOB, **own_policy(f"{MODEL}-events")}),
    *cases("deploy", DEPLOY),
    *cases("preview", PREVIEW),
    *cases("promotion", PROMOTION),
)


def role_arn(names: Names, role: str) -> str:
    """The ARN of a case's role."""
    bootstrapped = {
        "deploy": names.deploy_role_arn,
        "preview": names.preview_role_arn,
        "promotion": names.promotion_role_arn,
    }
    return bootstrapped.get(role) or names.role_arn(f"{MODEL}-{role}")


INTRODUCTION: Final = """# What each role may not do

The rehearsal enforces IAM, and a test makes every call of this table with a session of the role, on the stack `dev`
with its bootstrap applied: the refusal must name the action, and what the role must be let goes through.
[ADR 14](adr/0014-iam-is-enforced-in-the-rehearsal.md) says how, [FIDELITY](../rehearsal/FIDELITY.md) what is not shown.

Written by `python -m tests.infra.applied.must_deny`.
"""


def page() -> str:
    """docs/least-privilege.md."""
    lines = [INTRODUCTION]
    for role in dict.fromkeys(case.role for case in CASES):
        own = [case for case in CASES if case.role == role]
        may = ", ".join(case.what for case in own if not case.refused)
        lines += [f"## {role}", "", f"May {may}.", "", "| must be refused | action |", "| --- | --- |"]
        lines += [f"| {case.what} | `{case.refused}` |" for case in own if case.refused]
        lines.append("")
    return "\n".join(lines)
