"""What lives otherwise than git says: a preview after a refresh, which should hold no change.

A change that nobody merged (a hand in the console, a script) shows as an update or a creation; what a merge has not
deployed yet shows so as well, which is why drift is looked for on the commit that is deployed.
"""

from dataclasses import dataclass

from delivery.pulumi.preview import Preview, PreviewStep

_SHOWN_FIELDS = 8
_CLEAN = ": as declared"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One resource that differs: what a deployment would do to bring it back."""

    operation: str
    type: str
    name: str
    fields: tuple[str, ...]


def drift_of(preview: Preview) -> tuple[Drift, ...]:
    """What the preview would change, by type and name; a replacement counts once."""
    found: dict[str, Drift] = {}
    for step in preview.changes:
        found.setdefault(step.urn, _drift(step))
    return tuple(sorted(found.values(), key=lambda each: (each.type, each.name)))


def is_clean(text: str) -> bool:
    """Whether a report says that nothing differs."""
    return text.startswith("### ") and text.splitlines()[0].endswith(_CLEAN)


def report(stack: str, drifted: tuple[Drift, ...]) -> str:
    """One section of Markdown, the same for the same drift."""
    if not drifted:
        return f"### {stack}{_CLEAN}\n"
    lines = [f"### {stack}: {len(drifted)} {'resource differs' if len(drifted) == 1 else 'resources differ'}", ""]
    lines += ["| a deployment would | type | name | because of |", "| --- | --- | --- | --- |"]
    lines += [f"| {each.operation} | `{each.type}` | `{each.name}` | {_fields(each)} |" for each in drifted]
    return "\n".join(lines) + "\n"


ADVICE = """
What lives is not what git says. Either somebody changed it by hand, or a deployment did not end.

- To take the change back: `gh workflow run deploy.yml`, which applies what is on main.
- To keep it: declare it, and merge.

This issue is edited by every run of the workflow `drift`, and closed by the first that finds nothing.
"""


def _drift(step: PreviewStep) -> Drift:
    operation = "replace" if "replace" in step.op else step.op
    return Drift(operation=operation, type=step.type, name=step.name.rpartition("::")[2], fields=step.changed)


def _fields(drift: Drift) -> str:
    if not drift.fields:
        return "it is gone" if drift.operation == "create" else ""
    shown = ", ".join(f"`{field}`" for field in drift.fields[:_SHOWN_FIELDS])
    more = len(drift.fields) - _SHOWN_FIELDS
    return f"{shown} and {more} more" if more > 0 else shown
