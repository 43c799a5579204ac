"""Steps of a preview, as short as a case of a table may be."""

from dataclasses import replace
from typing import Any

from delivery.gate import Verdict, check
from delivery.pulumi.preview import Operation, Preview, PreviewStep

PROVIDER = "pulumi:providers:aws"


def step(op: Operation, type_: str, name: str = "it", /, **sides: Any) -> PreviewStep:
    """A step of `op`; `old` and `new` are the inputs before and after, all other keywords fields of the step."""
    old, new = sides.pop("old", None), sides.pop("new", None)
    if op not in ("create", "import"):
        old = old or {"name": name}
    if op not in ("delete", "delete-replaced", "discard"):
        new = old if new is None else new
    parts: dict[str, Any] = {"old_inputs": old or {}, "new_inputs": new or {}, **sides}
    return PreviewStep(op=op, urn=f"urn:pulumi:dev::drivetrain::{type_}::{name}", type=type_, name=name, **parts)


def there(count: int = 1) -> list[PreviewStep]:
    """Resources that are there and stay: without one, the stack counts as empty yet."""
    return [step("same", "aws:ec2/routeTable:RouteTable", f"private-{number}") for number in range(count)]


def provider(account: str = "111111111111") -> PreviewStep:
    return step("same", PROVIDER, "aws", old={"allowedAccountIds": f'["{account}"]'})


def judged(*steps: PreviewStep, existing: bool = True) -> Verdict:
    """The gate's verdict on these steps, without what the rules of infra/policies say of the examples."""
    preview = Preview(steps=(*(there() if existing else []), *steps), change_summary={})
    verdict = check(preview)
    return replace(verdict, violations=())


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}
