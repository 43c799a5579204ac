"""How many instances the endpoints have at this moment, so that a deployment never takes some away.

Autoscaling changes an endpoint without Pulumi. A new endpoint configuration begins with the instances that it says:
with the declared least number, a release at noon would send all traffic to a fleet sized for the night. `drivetrain
deploy` asks SageMaker and adds the answer to the stack's configuration for that one run; without it (a `pulumi up` by
hand, a preview of a pull request) the declared number stands.
"""

from collections.abc import Mapping

import pulumi

KEY = "live-instances"


class LiveInstancesError(pulumi.RunError):
    """The configuration value is no object of model names and whole numbers; Pulumi shows it as a message."""


def live_instances() -> Mapping[str, int]:
    """Instances by model name; a model without an endpoint, or with a serverless one, is not in it."""
    found: object = pulumi.Config("drivetrain").get_object(KEY)
    if found is None:
        return {}
    return parse_live_instances(found)


def parse_live_instances(document: object) -> Mapping[str, int]:
    """The value of `drivetrain:live-instances`; LiveInstancesError says what is wrong with it."""
    if not isinstance(document, Mapping):
        raise LiveInstancesError(f"drivetrain:{KEY}: expected an object such as {{auto-mpg: 3}}, found {document!r}")
    counts: dict[str, int] = {}
    for model, count in document.items():  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(model, str) or not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise LiveInstancesError(f"drivetrain:{KEY}: {model}: expected a whole number from 1 on, found {count!r}")
        counts[model] = count
    return counts
