"""What EventBridge hands to a target: the event, a part of it, a constant, or an input template filled in.

A placeholder inside quotes becomes text; outside quotes it becomes JSON ("Amazon EventBridge input transformation").
"""

import datetime
import json
import re
from typing import Any

from jsonpath_ng.ext.parser import parse

_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")


def transformed(target: dict[str, Any], event: dict[str, Any]) -> str:
    """The text that the target gets. Raises ValueError when a template does not give JSON."""
    event = shown(event)
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(target["InputPath"], event))
    if "InputTransformer" in target:
        transformer: dict[str, Any] = target["InputTransformer"]
        paths: dict[str, str] = transformer.get("InputPathsMap") or {}
        values: dict[str, Any] = {name: _at(path, event) for name, path in paths.items()}
        values |= {"aws.events.event.json": event, "aws.events.event": event}
        text = filled(str(transformer["InputTemplate"]), values)
        json.loads(text)
        return text
    return json.dumps(event)


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """The event as a target sees it: times as text, no time of ingestion."""
    found = {name: value for name, value in event.items() if name != "ingestion-time"}
    time = found.get("time")
    if isinstance(time, int | float):
        moment = datetime.datetime.fromtimestamp(time, tz=datetime.UTC)
        found["time"] = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return found


def filled(template: str, values: dict[str, Any]) -> str:
    """The template with every known placeholder replaced; an absent value is empty text, or null outside quotes."""
    parts: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(template):
        if found.group(1) not in values:
            continue
        parts.append(template[position : found.start()])
        value = values[found.group(1)]
        quoted = _inside_quotes("".join(parts))
        parts.append(_escaped(value) if quoted else json.dumps(value))
        position = found.end()
    return "".join((*parts, template[position:]))


def _escaped(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _inside_quotes(text: str) -> bool:
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', text)) % 2 == 1


def _at(path: str, event: dict[str, Any]) -> Any:
    # a member with a hyphen has to be quoted for this parser, and is not in EventBridge
    quoted = re.sub(r"\.([A-Za-z0-9_]*-[A-Za-z0-9_-]*)", r'."\1"', path)
    matches: list[Any] = parse(quoted).find(event)
    return matches[0].value if matches else None
