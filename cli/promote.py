"""`drivetrain promote`: what is released in one stack, made ready in the next one's account and released there."""

from cli.accounts import FromOption, FromProfileOption, ToOption, ToProfileOption, account_of
from cli.connection import DEFAULT_REHEARSAL, ModelArgument, RehearsalOption
from cli.output import console
from delivery.releases import promotion
from delivery.releases.promotion import PromotionError
from infra.sources import project_directory
from models.spec import find_spec


def promote(
    model: ModelArgument,
    source: FromOption,
    target: ToOption,
    from_profile: FromProfileOption = None,
    to_profile: ToProfileOption = None,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Copy a released model to another account, check every byte on both sides, and write the release file there.

    Nothing is rebuilt or retrained. A second run changes nothing; one that was killed is finished by the next.
    """
    if source == target:
        raise PromotionError(f"--from and --to are both {source}; right would be two stacks")
    spec = find_spec(project_directory() / "models", model)
    done = promotion.promote(
        spec,
        account_of(source, name, from_profile),
        account_of(target, name, to_profile),
        lambda line: console.print(line, markup=False),
    )
    if not done.changes:
        console.print(f"{spec.name} was promoted already: nothing was changed", markup=False)
        return
    console.print(f"{spec.name} is released in {target}; commit the file: the merge makes it live", markup=False)
