"""`drivetrain cost`: what a stack costs by the hour and the month, and what a change of it costs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption
from cli.output import console, print_json, print_table
from cli.places import find_place
from cli.preview import preview_text
from delivery.cost import Estimate, PriceTable, before_and_after, declared_in, estimate, load_prices, machines_in
from delivery.pulumi.preview import Preview, parse_preview
from infra.scope import environment_of
from infra.settings import environments, load_settings
from infra.sources import project_directory

StackArgument = Annotated[str, typer.Argument(help="A stack, as in Pulumi.<stack>.yaml.")]
PreviewOption = Annotated[
    Path | None,
    typer.Option("--preview", help="What `drivetrain preview STACK --json FILE` wrote; else one is made now."),
]
AgainstOption = Annotated[Path | None, typer.Option("--against", help="Another such file, to compare with.")]


def cost(
    stack: StackArgument,
    preview: PreviewOption = None,
    against: AgainstOption = None,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Show what the stack costs once its program is applied, and the difference to what is there now."""
    table = load_prices()
    found = _read(preview) if preview else _preview_of(stack, name)
    machines = machines_in(project_directory() / "models")
    before, after = before_and_after(found, table, machines=machines)
    if against is not None:
        before = estimate(declared_in(_read(against)), table, machines=machines)
    if as_json:
        difference = {"least": round(after.least - before.least, 2), "most": round(after.most - before.most, 2)}
        print_json({"stack": stack, **after.to_json(), "difference_per_month": difference})
    else:
        _print(stack, before, after, table)
        _print_hours(stack)


def _preview_of(stack: str, name: str) -> Preview:
    return parse_preview(preview_text(find_place(stack, name)), f"the preview of {stack}")


def _read(file: Path) -> Preview:
    return parse_preview(file.read_text(encoding="utf-8"), str(file))


def _print_hours(stack: str) -> None:
    project_dir = project_directory()
    hours = load_settings(project_dir, environment_of(stack, environments(project_dir))).endpoint.hours
    if hours is not None:
        part = f"{hours.per_week:g} of the week's 168 hours"
        console.print(f"its endpoints run {part} (endpoint.hours); the sum counts them as if always", markup=False)


def _print(stack: str, before: Estimate, after: Estimate, table: PriceTable) -> None:
    grouped: dict[str, list[float]] = {}
    for line in after.lines:
        sums = grouped.setdefault(line.key, [0.0, 0.0, 0.0])
        sums[0] += line.units
        sums[1] += line.least
        sums[2] += line.most
    rows = [(key, f"{units:g}", f"{low:.2f}", f"{high:.2f}") for key, (units, low, high) in sorted(grouped.items())]
    hours = table.hours_per_month
    rows.append(("all of it", "", f"{after.least:.2f}", f"{after.most:.2f}"))
    rows.append(("by the hour", "", f"{after.least / hours:.4f}", f"{after.most / hours:.4f}"))
    title = f"{stack} in {after.region or 'an unknown region'}: US dollars a month of {hours} hours, before tax"
    print_table(title, ("what", "units", "at least", "at most"), rows)
    difference = f"{after.least - before.least:+.2f} to {after.most - before.most:+.2f}"
    console.print(f"difference to what is there now: {difference} a month", markup=False)
    console.print(f"the oldest of these prices is of {after.oldest or 'no day: none was needed'}", markup=False)
    for use in after.on_demand_told():
        console.print(f"on demand, in no sum: {use}", markup=False)
    for type_, what in after.usage:
        console.print(f"paid by use, not priced: {type_}: {what}", markup=False)
    for unknown in after.unknown:
        console.print(f"unknown: {unknown}", markup=False)
