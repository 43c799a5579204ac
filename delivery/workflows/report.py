"""What a pull request changes in one stack, as Markdown: the changes, the gate's verdict, the cost.

The workflow puts the reports of all stacks into one comment, which is edited with each push (github.py).
"""

from collections import Counter
from collections.abc import Iterable

from delivery.cost import Estimate
from delivery.gate import Verdict
from delivery.pulumi.preview import Preview, PreviewStep

_UNSEEN = frozenset({"pulumi:providers:aws"})
_SHOWN_CHANGES = 60
_SHOWN_FIELDS = 6
_WORDS = {"create": "made", "update": "changed", "replace": "replaced", "delete": "deleted", "import": "taken over"}


def report(stack: str, preview: Preview, verdict: Verdict, before: Estimate, after: Estimate) -> str:
    """One section of Markdown; the same for the same change, so that an unchanged comment is not edited."""
    changes = [step for step in preview.changes if step.op in _WORDS and step.custom and step.type not in _UNSEEN]
    parts = [
        f"### {stack}: {_headline(changes)}",
        _verdict(verdict),
        _left_out(preview),
        _changes(changes),
        _cost(before, after),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(changes: Iterable[PreviewStep]) -> str:
    counted = Counter(_WORDS[step.op] for step in changes)
    return ", ".join(f"{count} {word}" for word, count in counted.items()) or "nothing changes"


def _verdict(verdict: Verdict) -> str:
    lines = ["**The gate lets it pass.**" if verdict.passed else "**The gate stops it.**"]
    if not verdict.passed:
        lines[0] += " Allow just that in a commit message, or do it otherwise:"
    for finding in verdict.stopped:
        lines.append(f"- {_plain(finding.text)}\n  `{_plain(finding.allowance)}`")
    lines += [f"- policy {_plain(violation.text)}" for violation in verdict.violations]
    lines += [f"- allowed: {_plain(finding.text)} ({_plain(by.text)})" for finding, by in verdict.allowed]
    return "\n".join(lines)


def _left_out(preview: Preview) -> str:
    return "\n".join(f"- not previewed: `{_plain(name)}`: {_plain(why)}" for name, why in preview.left_out.items())


def _changes(changes: list[PreviewStep]) -> str:
    if not changes:
        return ""
    lines = ["| | type | name | because of |", "| --- | --- | --- | --- |"]
    for step in changes[:_SHOWN_CHANGES]:
        lines.append(f"| {_WORDS[step.op]} | `{step.type}` | `{_plain(step.name)}` | {_fields(step)} |")
    if len(changes) > _SHOWN_CHANGES:
        lines.append(f"\nand {len(changes) - _SHOWN_CHANGES} more")
    return "\n".join(["<details><summary>What changes</summary>", "", *lines, "", "</details>"])


def _fields(step: PreviewStep) -> str:
    fields = step.replace_reasons or step.changed
    shown = ", ".join(f"`{_plain(field)}`" for field in fields[:_SHOWN_FIELDS])
    more = len(fields) - _SHOWN_FIELDS
    return f"{shown} and {more} more" if more > 0 else shown


def _cost(before: Estimate, after: Estimate) -> str:
    least, most = after.least - before.least, after.most - before.most
    if round(least, 2) == round(most, 2) == 0:
        change = "no difference"
    elif round(least, 2) == round(most, 2):
        change = f"**{least:+.2f}**"
    else:
        change = f"**{least:+.2f} to {most:+.2f}**"
    then = (
        f"{after.least:.2f}"
        if round(after.least, 2) == round(after.most, 2)
        else (f"{after.least:.2f} to {after.most:.2f}")
    )
    lines = [f"Cost in US dollars a month: {change}, then {then}; what is paid by use comes on top."]
    new = [each for each in after.unknown if each not in (*before.unknown, *after.unknown_uses)]
    lines += [f"- unknown: {_plain(each)}" for each in new]
    return "\n".join([*lines, *_on_demand(after)])


def _on_demand(after: Estimate) -> list[str]:
    told = [f"- {_plain(use)}" for use in after.on_demand_told()]
    return ["", "<details><summary>On demand, in no sum</summary>", "", *told, "", "</details>"] if told else []


def _plain(text: str) -> str:
    """`text` on one line, with nothing that Markdown or GitHub would act on: code, tables, mentions, HTML."""
    for mark, written in (("\n", " "), ("`", "'"), ("|", "¦"), ("<", "‹"), (">", "›"), ("@", "@\u200b")):
        text = text.replace(mark, written)
    return text
