"""The goals of the issue that asked for the server, each held against the figures of one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.serving.figures import Figures
from benchmarks.serving.targets import OURS, TARGETS

_SLOW_FOUR: Final = ("litserve", "bentoml", "mlflow", "mlserver")
_FAILED: Final = 0.001
"""A rate counts every answer, a refusal too; with more than this part of them failed it is no rate of answers."""
_HELD: Final = 0.001
"""More than this part of the time is told: the 99th percentile is then the machine's as much as the server's."""
_SATURATED: Final = 0.1
"""With more than this part refused at it, it was no capacity, and its latencies are those of an overload."""
_OVERLOADED: Final = 2.7
"""Less than this many times the capacity is not the overload that was asked for."""
_GROWTH_BYTES: Final = 1_000_000
"""Less than this is one arena of the allocator, not a leak: a leak of ten bytes a request would be twice that."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One goal: what was asked, what was seen, and whether it is met; None when there is nothing to tell it from."""

    what: str
    goal: str
    seen: str
    met: bool | None


def verdicts(figures: Figures) -> list[Verdict]:
    """Every goal, in the order of the issue."""
    return [
        *_beside_peers(figures),
        *_formats(figures.own.get("formats", {}), figures),
        *_workers(figures.own.get("workers", {})),
        *_steady(figures.own.get("steady", {})),
        *_latency(figures),
        *_overload(figures.own.get("overload", {})),
        _start(figures.own.get("start", {})),
        *_memory(figures.own.get("memory", {})),
    ]


def _at_least(what: str, times: float, ours: float | None, of: float | None, name: str) -> Verdict:
    goal = f"at least {times:g} × {name}"
    if ours is None or not of:
        return Verdict(what=what, goal=goal, seen="not measured", met=None)
    return Verdict(what=what, goal=goal, seen=f"{ours:,.0f}/s, {ours / of:.1f} ×", met=ours >= times * of)


def _spoilt(figures: Figures, server: str, figure: str) -> str:
    """How many of the requests behind a figure failed, when there are too many for the figure to count."""
    failed, sent = figures.failed(server, figure)
    return f"{failed:,} of {sent:,} requests failed" if failed > _FAILED * sent else ""


def _answered(verdict: Verdict, figures: Figures, figure: str, peer: str) -> Verdict:
    """A verdict on answers: not met where ours failed, nothing told where the peer's did."""
    if verdict.met is None:
        return verdict
    if ours := _spoilt(figures, OURS, figure):
        return replace(verdict, seen=f"{verdict.seen}; {ours}", met=False)
    if theirs := _spoilt(figures, peer, figure):
        return replace(verdict, seen=f"{verdict.seen}; {peer}: {theirs}", met=None)
    return verdict


def _beside_peers(figures: Figures) -> list[Verdict]:
    one, many = "one row, 32 connections", "256 rows (JSON)"
    ours = figures.median(OURS, "one_row")
    rates = [(rate, name) for name in _SLOW_FOUR if (rate := figures.median(name, "one_row")) is not None]
    missing = [name for name in _SLOW_FOUR if name not in figures.rounds]
    best, name = max(rates, default=(None, "the four"))
    one_row, rows_256 = "one_row", "rows_256"
    asked = f"{name}, the best of {', '.join(_SLOW_FOUR)}" + (f" (without {', '.join(missing)})" if missing else "")
    fastapi, robyn = figures.median("fastapi", one_row), figures.median("robyn", one_row)
    by_many = _at_least(many, 1.2, figures.median(OURS, rows_256), figures.median("robyn", rows_256), "Robyn")
    return [
        _answered(_at_least(one, 20, ours, best, asked), figures, one_row, name),
        _answered(_at_least(one, 8, ours, fastapi, "FastAPI with pydantic"), figures, one_row, "fastapi"),
        _answered(_at_least(one, 3, ours, robyn, "Robyn"), figures, one_row, "robyn"),
        _answered(by_many, figures, rows_256, "robyn"),
    ]


def _formats(found: Mapping[str, float], figures: Figures) -> list[Verdict]:
    robyn = figures.median("robyn", "rows_256")
    # 3 × what 256 rows of JSON are to reach, which is 1.2 × Robyn. One of the two has to.
    of = None if robyn is None else 1.2 * robyn
    binary = {name: found[name] for name in ("Arrow IPC", "raw tensor") if name in found}
    name = max(binary, key=lambda each: binary[each], default="Arrow IPC or raw tensors")
    listed = [_at_least(f"256 rows, {name}", 3, binary.get(name), of, "1.2 × Robyn")]
    what, goal = "256 rows, CSV", "at least JSON / 1.5"
    if "CSV" not in found or "JSON" not in found:
        return [*listed, Verdict(what=what, goal=goal, seen="not measured", met=None)]
    ratio = found["JSON"] / found["CSV"]
    seen = f"{found['CSV']:,.0f}/s, JSON {found['JSON']:,.0f}/s, {ratio:.2f} ×"
    return [*listed, Verdict(what=what, goal=goal, seen=seen, met=ratio <= 1.5)]


def _workers(found: Mapping[str, float]) -> list[Verdict]:
    listed: list[Verdict] = []
    for rows in ("one row", "256 rows"):
        what, one, two = f"two workers, {rows}", found.get(f"{rows}, 1"), found.get(f"{rows}, 2")
        verdict = _at_least(what, 1.6, two, one, "one worker")
        listed.append(Verdict(what=what, goal=f"{verdict.goal} (load beside it)", seen=verdict.seen, met=verdict.met))
    return listed


def _steady(found: Mapping[str, float]) -> list[Verdict]:
    whats = ("open loop at 50 % of capacity", "the same, where the machine let both have their processors")
    goal = "p99 at most 5 × p50"
    if "calm" not in found:
        return [Verdict(what=what, goal=goal, seen="not measured", met=None) for what in whats]
    failed, sent = found["failed"], found["sent"]
    told = failed <= _FAILED * sent
    kept = told and not found["unsent"]
    spoilt = "" if told else f"; {failed:,.0f} of {sent:,.0f} requests failed"
    held = f"; the machine held the load itself up {100 * found['held']:.1f} % of the time"
    every = _spread(found["p50"], found["p99"]) + spoilt + (held if found["held"] > _HELD else "")
    verdict = Verdict(what=whats[0], goal=goal, seen=every, met=kept and found["p99"] <= 5 * found["p50"])
    if not found["calm"]:
        return [verdict, Verdict(what=whats[1], goal=goal, seen="there was no such request", met=None)]
    calm = f"{_spread(found['calm p50'], found['calm p99'])}, {found['calm']:.1%} of the requests{spoilt}"
    met = kept and found["calm p99"] <= 5 * found["calm p50"]
    return [verdict, Verdict(what=whats[1], goal=goal, seen=calm, met=met)]


def _spread(p50: float, p99: float) -> str:
    return f"p50 {_ms(p50)}, p99 {_ms(p99)}, {p99 / p50:.1f} ×"


def _latency(figures: Figures) -> list[Verdict]:
    ours = figures.median(OURS, "alone")
    peers = [target.name for target in TARGETS if target.kind != "ours" and target.name in figures.rounds]
    listed = sorted((figures.median(name, "alone") or 0, name) for name in peers)
    best, name = listed[0] if listed else (None, "")
    python = next((f", in Python {name} {_ms(p50)}" for p50, name in listed if not name.startswith("go_")), "")
    p50, p99 = figures.median(OURS, "p50"), figures.median(OURS, "p99")
    alone, spread = "one connection, p50", "32 connections"
    if ours is None or p50 is None or p99 is None:
        return [
            Verdict(what=alone, goal="below every peer", seen="not measured", met=None),
            Verdict(what=spread, goal="p99 at most 2 × p50", seen="not measured", met=None),
        ]
    seen = _ms(ours) + (f"; best peer {name} {_ms(best)}{python}" if best is not None else "")
    met = None if best is None else ours < best
    below = Verdict(what=alone, goal="below every peer", seen=seen, met=met)
    narrow = Verdict(what=spread, goal="p99 at most 2 × p50", seen=_spread(p50, p99), met=p99 <= 2 * p50)
    return [_answered(below, figures, "alone", name), _answered(narrow, figures, "one_row", OURS)]


def _overload(found: Mapping[str, float]) -> list[Verdict]:
    what = "3 × overload, 256 rows, 512 callers"
    kept, told = "accepted: p99 at most 1.5 × that at capacity", "the rest: 503 within 50 ms"
    if why := _no_overload(found):
        return [Verdict(what=what, goal=goal, seen=why, met=None) for goal in (kept, told)]
    at, accepted = found["p99 at capacity"], found["p99 accepted"]
    rate = f"{found['sent a second'] / found['capacity']:.1f} × sent, {found['accepted a second']:,.0f}/s accepted"
    refused = f"{found['refused']:,.0f} refused, p99 {_ms(found['p99 refused'])}, {found['others']:.0f} otherwise"
    return [
        Verdict(what=what, goal=kept, seen=f"{_ms(accepted)} to {_ms(at)}; {rate}", met=accepted <= 1.5 * at),
        Verdict(
            what=what,
            goal=told,
            seen=refused,
            met=found["refused"] > 0 and found["p99 refused"] <= 50_000 and not found["others"],
        ),
    ]


def _no_overload(found: Mapping[str, float]) -> str:
    """Why nothing is told of an overload; empty when it was one, with a baseline to hold it against."""
    if "p99 at capacity" not in found or "refused at capacity" not in found:
        return "not measured"
    sent, capacity = found["sent a second"], found["capacity"]
    if sent < _OVERLOADED * capacity:
        needed = f"at least {_OVERLOADED:g} × {capacity:,.0f}/s is needed"
        return f"{sent / capacity:.1f} × was sent ({sent:,.0f}/s), {needed}"
    if found["refused at capacity"] > _SATURATED:
        return f"{found['refused at capacity']:.0%} were refused already at what was taken for the capacity"
    return ""


def _start(found: Mapping[str, float]) -> Verdict:
    what, goal = "start of the process to a true /ping", "1.0 s"
    if not found:
        return Verdict(what=what, goal=goal, seen="not measured", met=None)
    return Verdict(
        what=what, goal=goal, seen=f"{found['seconds']:.2f} s, at most {found['most']:.2f} s", met=found["seconds"] <= 1
    )


def _memory(found: Mapping[str, float]) -> list[Verdict]:
    resident, growth = "resident memory after load", "200,000 requests"
    if not found:
        return [
            Verdict(what=resident, goal="150 MB", seen="not measured", met=None),
            Verdict(what=growth, goal="no growth after the first tenth", seen="not measured", met=None),
        ]
    seen = (
        f"{found['resident'] / 1e6:.0f} MB in all processes (shared pages once: {found['proportional'] / 1e6:.0f} MB)"
    )
    return [
        Verdict(what=resident, goal="150 MB", seen=seen, met=found["resident"] <= 150e6),
        Verdict(
            what=growth,
            goal="no growth after the first tenth (below 1 MB)",
            seen=f"{found['growth'] / 1e6:+.2f} MB",
            met=found["growth"] < _GROWTH_BYTES,
        ),
    ]


def _ms(microseconds: float) -> str:
    return f"{microseconds / 1e3:.2f} ms"


def unmet(listed: Sequence[Verdict]) -> list[Verdict]:
    """Goals that were measured and missed."""
    return [verdict for verdict in listed if verdict.met is False]
