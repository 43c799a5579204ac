"""What pulumi-aws does around every resource: names, default tags, differences; then the handler's own calls.

Two callers share it, the engine of the rehearsal and the gRPC servicer, so that both make the same resources. `olds` of
`ResourceHandler.update` are the old *inputs*; `state` of read and delete are the outputs. An input that AWS does not
tell back (`forceDestroy`, an asset) is kept in the outputs beside what was read.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.wire import UNKNOWN, comparable, is_unknown

DEFAULTS = "__defaults"
"""Where pulumi-aws notes which inputs it filled in itself."""


class AwsRefusedError(Exception):
    """AWS (or moto) refused a call; the message is one line."""


class ResourceGoneError(Exception):
    """A resource was made or is to be adopted, but AWS does not know it."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Which top-level inputs changed, which of them force a replacement, and in which order to replace."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


def check(
    handler: ResourceHandler,
    *,
    logical_name: str,
    old_inputs: Properties | None,
    new_inputs: Properties,
    default_tags: Mapping[str, str],
    seed: bytes = b"",
) -> Properties:
    """The complete inputs: a name where the program leaves it open (the old one when there is one) and `tagsAll`."""
    inputs = {key: value for key, value in new_inputs.items() if key != DEFAULTS}
    autoname = handler.autoname
    prefixed = autoname is not None and f"{autoname.name_property}Prefix" in inputs
    if autoname is not None and autoname.name_property not in inputs:
        kept = _kept_name(autoname, old_inputs)
        prefix = str(inputs[f"{autoname.name_property}Prefix"]) if prefixed else None
        inputs[autoname.name_property] = kept or fresh_name(autoname, logical_name, seed=seed, prefix=prefix)
        inputs[DEFAULTS] = [autoname.name_property]
    if handler.taggable:
        inputs["tagsAll"] = _merged_tags(default_tags, inputs.get("tags"))
    return inputs


def fresh_name(autoname: AutoName, logical_name: str, *, seed: bytes = b"", prefix: str | None = None) -> str:
    """`<logical name>-<7 hex digits>`, the name cut so that the whole fits; the same seed gives the same digits."""
    digits = hashlib.sha256(seed).hexdigest()[:7] if seed else secrets.token_hex(4)[:7]
    head = prefix if prefix is not None else logical_name + autoname.separator
    return head[: autoname.max_length - len(digits)] + digits


def _kept_name(autoname: AutoName, old_inputs: Properties | None) -> str | None:
    if not old_inputs or autoname.name_property not in old_inputs.get(DEFAULTS, []):
        return None
    return str(old_inputs[autoname.name_property])


def _merged_tags(default_tags: Mapping[str, str], tags: Any) -> Any:
    if tags == UNKNOWN:
        return UNKNOWN
    own = cast("dict[str, str]", tags or {})
    return {**default_tags, **own}


def diff(
    handler: ResourceHandler,
    *,
    old_inputs: Properties,
    new_inputs: Properties,
    replace_on_changes: Iterable[str] = (),
) -> Difference:
    """Compare two checked sets of inputs; a value not yet known counts as changed.

    As in pulumi-aws, a resource whose fixed name stays the same is deleted before its replacement is made: AWS would
    refuse two of that name.
    """
    keys = sorted(key for key in {*old_inputs, *new_inputs} if not key.startswith("__"))
    changed = tuple(
        key
        for key in keys
        if is_unknown(new_inputs.get(key)) or comparable(old_inputs.get(key)) != comparable(new_inputs.get(key))
    )
    forced = {path.split(".")[0].split("[")[0] for path in replace_on_changes}
    name = handler.autoname.name_property if handler.autoname else None
    replaces = tuple(
        key for key in changed if key in handler.replace_on or key == name or key in forced or "*" in forced
    )
    same_fixed_name = (
        name is not None and name not in changed and name in new_inputs and name not in new_inputs.get(DEFAULTS, [])
    )
    return Difference(
        changed=changed,
        replaces=replaces,
        delete_before_replace=bool(replaces) and (handler.delete_before_replace or same_fixed_name),
    )


def create(handler: ResourceHandler, aws: AwsClients, inputs: Properties) -> Created:
    """Make the resource and return its outputs; raises AwsRefusedError."""
    with _aws_errors():
        created = handler.create(aws, _visible(inputs))
    return Created(id=created.id, outputs=_complete(inputs, created.outputs))


def read(handler: ResourceHandler, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
    """What AWS holds now over what the state knows, or None when the resource is gone; raises AwsRefusedError."""
    with _aws_errors():
        outputs = handler.read(aws, resource_id, state)
    return None if outputs is None else {**state, **outputs}


def update(
    handler: ResourceHandler, aws: AwsClients, resource_id: str, old_inputs: Properties, new_inputs: Properties
) -> Properties:
    """Change the resource in place; raises AwsRefusedError or UpdateNotPossible."""
    with _aws_errors():
        outputs = handler.update(aws, resource_id, _visible(old_inputs), _visible(new_inputs))
    return _complete(new_inputs, outputs)


def delete(handler: ResourceHandler, aws: AwsClients, resource_id: str, state: Properties) -> None:
    """Remove the resource; raises AwsRefusedError."""
    with _aws_errors():
        handler.delete(aws, resource_id, state)


def drifted_inputs(inputs: Properties, old_outputs: Properties, outputs: Properties) -> Properties:
    """`inputs` as they would have to be for what AWS holds now, so that the next comparison sees the drift."""
    return {
        key: outputs.get(key) if key in outputs and outputs.get(key) != old_outputs.get(key) else value
        for key, value in inputs.items()
    }


def previewed_outputs(old_outputs: Properties, new_inputs: Properties) -> Properties:
    """What is known before an update is made: the new inputs over the old outputs."""
    return {**old_outputs, **_visible(new_inputs)}


def _visible(properties: Properties) -> Properties:
    return {key: value for key, value in properties.items() if not key.startswith("__")}


def _complete(inputs: Properties, outputs: Properties) -> Properties:
    return {**_visible(inputs), **{key: value for key, value in outputs.items() if value is not None}}


class _aws_errors:  # noqa: N801  reads as the statement it is
    """Turns botocore's errors into one line that says which call failed and why."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            answer = error.response.get("Error", {})
            text = f"{error.operation_name}: {answer.get('Code', '')}: {answer.get('Message', '')}"
            raise AwsRefusedError(" ".join(text.split())) from error
        if isinstance(error, BotoCoreError):
            raise AwsRefusedError(" ".join(str(error).split())) from error
