"""What a stack costs by the hour and by the month, and what a change of it costs.

A preview holds both sides: what is there, in the old states, and what will be, in the new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.cost.prices import PriceTable
from delivery.cost.resources import Declared, Resources, Units, Use
from delivery.pulumi.preview import WITHOUT_NEW, WITHOUT_OLD, Preview, PreviewStep


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One resource at one price; `least` and `most` are US dollars a month."""

    name: str
    type: str
    key: str
    least: float
    most: float
    units: float
    """At most."""


@dataclass(frozen=True, kw_only=True)
class OnDemand:
    """What using a resource costs: `usd` for `per` (`hour`, `million`) of `what`. It is in no sum."""

    name: str
    type: str
    key: str
    what: str
    usd: float
    per: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The cost of a stack in US dollars a month: from `least` to `most`, and what is not part of it."""

    region: str
    hours_per_month: int
    lines: tuple[CostLine, ...]
    usage: tuple[tuple[str, str], ...]
    """What is paid by use: type, and for what."""
    unknown: tuple[str, ...]
    """What has no price in the table, and why."""
    oldest: str
    """The day of the oldest price that is used."""
    on_demand: tuple[OnDemand, ...] = ()
    """What is paid by use and has a price for each use."""
    unknown_uses: tuple[str, ...] = ()
    """Those of `unknown` that would be on demand: the sums lack nothing for them."""

    @property
    def least(self) -> float:
        """The sum of what is always paid."""
        return sum(line.least for line in self.lines)

    @property
    def most(self) -> float:
        """The sum with everything scaled out."""
        return sum(line.most for line in self.lines)

    def on_demand_told(self) -> list[str]:
        """What each use costs, a line for all that are alike."""
        found: dict[str, list[str]] = {}
        for each in self.on_demand:
            per = "an hour of" if each.per == "hour" else f"a {each.per}"
            found.setdefault(f"{each.usd:g} {per} {each.what} ({each.key})", []).append(each.name)
        return [f"{what}: {', '.join(names)}" for what, names in found.items()]

    def to_json(self) -> dict[str, Any]:
        """The estimate as a document."""
        hours = self.hours_per_month
        return {
            "currency": "USD",
            "region": self.region,
            "hours_per_month": hours,
            "oldest_price": self.oldest,
            "per_hour": {"least": round(self.least / hours, 4), "most": round(self.most / hours, 4)},
            "per_month": {"least": round(self.least, 2), "most": round(self.most, 2)},
            "lines": [
                {**vars(line), "least": round(line.least, 2), "most": round(line.most, 2)} for line in self.lines
            ],
            "on_demand": [vars(each) for each in self.on_demand],
            "usage": [{"type": type_, "by": what} for type_, what in self.usage],
            "unknown": list(self.unknown),
        }


def estimate(
    declared: Sequence[Declared], table: PriceTable, region: str = "", machines: Mapping[str, str] | None = None
) -> Estimate:
    """Price every resource; `region` counts where no provider says one, `machines` are the models' by name."""
    resources = Resources(declared, machines or {})
    region = resources.region() or region
    lines: list[CostLine] = []
    on_demand: list[OnDemand] = []
    usage: dict[str, str] = {}
    unknown: dict[str, None] = {}
    unknown_uses: dict[str, None] = {}
    days: list[str] = []
    for resource in declared:
        units, by_use = resources.units(resource)
        if by_use or resource.type in table.usage:
            usage[resource.type] = "; ".join(by_use) or table.usage[resource.type]
        elif not _has_price(resource, resources, table):
            unknown[f"{resource.type}: not in the price table"] = None
        uses = [_used(resource, use, table, region) for use in resources.on_demand(resource)]
        unknown_uses |= {use: None for use, _ in uses if isinstance(use, str)}
        for line, day in (*(_line(resource, each, table, region) for each in units), *uses):
            if isinstance(line, str):
                unknown[line] = None
                continue
            days.append(day)
            if isinstance(line, CostLine):
                lines.append(line)
            else:
                on_demand.append(line)
    return Estimate(
        region=region,
        hours_per_month=table.hours_per_month,
        lines=tuple(lines),
        usage=tuple(sorted(usage.items())),
        unknown=tuple(unknown),
        oldest=min(days, default=""),
        on_demand=tuple(on_demand),
        unknown_uses=tuple(unknown_uses),
    )


def before_and_after(
    preview: Preview, table: PriceTable, region: str = "", machines: Mapping[str, str] | None = None
) -> tuple[Estimate, Estimate]:
    """What the stack costs now, and what it will cost once the preview is applied."""
    before, after = existing_in(preview), declared_in(preview)
    return estimate(before, table, region, machines), estimate(after, table, region, machines)


def existing_in(preview: Preview) -> list[Declared]:
    """Every resource that the stack consists of; of a resource that is told of twice, the first counts."""
    steps = {step.urn: step for step in reversed(preview.steps) if step.op not in WITHOUT_OLD}
    return [_declared(step, step.old_inputs) for step in steps.values()]


def declared_in(preview: Preview) -> list[Declared]:
    """Every resource that the stack will consist of; of a resource that is told of twice, the last counts."""
    steps = {step.urn: step for step in preview.steps}
    return [_declared(step, step.new_inputs) for step in steps.values() if step.op not in WITHOUT_NEW]


def _declared(step: PreviewStep, inputs: dict[str, Any]) -> Declared:
    return Declared(urn=step.urn, type=step.type, name=step.name, inputs=inputs, parent=step.parent)


def _has_price(resource: Declared, resources: Resources, table: PriceTable) -> bool:
    ours = not resource.type.startswith("aws:")
    return ours or resources.is_counted(resource.type) or table.is_free(resource.type)


def _line(resource: Declared, units: Units, table: PriceTable, region: str) -> tuple[CostLine | str, str]:
    price = table.find(units.key, region)
    if price is None:
        return _not_there(resource, units.key, region), ""
    if units.least is None or units.most is None:
        return f"{resource.name}: how many of {units.key} is known only after the deploy", ""
    month = table.monthly(price)
    return CostLine(
        name=resource.name,
        type=resource.type,
        key=units.key,
        least=units.least * month,
        most=units.most * month,
        units=units.most,
    ), price.as_of.isoformat()


def _used(resource: Declared, use: Use, table: PriceTable, region: str) -> tuple[OnDemand | str, str]:
    price = table.find(use.key, region)
    if price is None:
        return _not_there(resource, use.key, region), ""
    found = OnDemand(
        name=resource.name,
        type=resource.type,
        key=use.key,
        what=use.what,
        usd=round(use.times * price.usd, 6),
        per=price.per,
    )
    return found, price.as_of.isoformat()


def _not_there(resource: Declared, key: str, region: str) -> str:
    return f"{resource.name}: {key} in {region or 'an unknown region'} is not in the price table"
