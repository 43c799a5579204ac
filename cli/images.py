"""`drivetrain images`: which images the sources make, what the registries have of them, signatures, copies."""

import typer

from cli.accounts import FromOption, FromProfileOption, ToOption, ToProfileOption, account_of
from cli.connection import DEFAULT_REHEARSAL, LOCAL_STACK, JsonOption, RehearsalOption, StackOption
from cli.output import console, print_json, print_table
from delivery.images import stack_images as images
from delivery.images.container_registry import RegistryError
from infra.sources import project_directory

app = typer.Typer(help="The images of a stack: built once, by content, signed, copied by digest.", no_args_is_help=True)


@app.command()
def plan(
    stack: StackOption = LOCAL_STACK, name: RehearsalOption = DEFAULT_REHEARSAL, as_json: JsonOption = False
) -> None:
    """Show the images that the present sources make, and whether the stack's registry has them, signed."""
    found = images.plan(account_of(stack, name), project_directory())
    if as_json:
        print_json([{**vars(planned), "uri": planned.uri} for planned in found])
        return
    rows = [
        (
            planned.image,
            planned.tag,
            (planned.digest or "to be built")[:19],
            "signed" if planned.signed else "not signed",
        )
        for planned in found
    ]
    print_table(f"images of {stack}", ("image", "tag", "digest", "signature"), rows)


@app.command()
def sign(stack: StackOption = LOCAL_STACK, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Sign the images of the present sources that are not signed yet, with the stack's key, in cosign's format."""
    for uri, changed in images.sign_present(account_of(stack, name), project_directory()):
        console.print(f"{'signed' if changed else 'was signed:'} {uri}", markup=False)


@app.command()
def tag(stack: StackOption = LOCAL_STACK, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Put the images of the present sources under the tags that the models look for, where there is none yet."""
    tagged = images.tag_models(account_of(stack, name), project_directory())
    console.print("\n".join(tagged) or "every model has its tags", markup=False)


@app.command()
def verify(stack: StackOption = LOCAL_STACK, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Fail unless the images of the present sources are there and signed by the stack's key."""
    account = account_of(stack, name)
    if said := images.unsigned(account, project_directory()):
        raise RegistryError("\n".join(said))
    console.print(f"every image of {stack} is there and signed by {account.signing_key.key_id}", markup=False)


@app.command()
def copy(
    source: FromOption,
    target: ToOption,
    from_profile: FromProfileOption = None,
    to_profile: ToProfileOption = None,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Copy the images of the present sources to another account by digest, with their signatures, and countersign."""
    here, there = account_of(source, name, from_profile), account_of(target, name, to_profile)
    for copied in images.copy_present(here, there, project_directory()):
        console.print(f"{'copied' if copied.changed else 'was there:'} {copied.uri}", markup=False)
