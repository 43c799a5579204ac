"""Each rule as a policy of Pulumi's, which the engine asks and which says the same as `infra.policies.evaluate`.

A rule that has no verdict yet, as a value is not known in the preview, reports nothing then: the engine asks again in
the update, with the value, before the resource is made.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import (
    Policy,
    PolicyComplianceFramework,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties

from infra.policies.catalogue import ALL_RULES
from infra.policies.evaluation import EXPIRED, assess
from infra.policies.exemptions import Exemption
from infra.policies.resources import Resource
from infra.policies.rule import ResourceRule, Rule


def policies(exemptions: Sequence[Exemption], today: datetime.date) -> list[Policy]:
    """A policy for each rule, and one for the exemptions that have expired."""
    in_force = [each for each in exemptions if not each.expired(today)]
    made = [_policy(rule, in_force, today) for rule in ALL_RULES]
    return [*made, _expired(exemptions, today)]


def _policy(rule: Rule, exemptions: Sequence[Exemption], today: datetime.date) -> Policy:
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(validate=_over_resource(rule, exemptions, today), **_described(rule))
    return StackValidationPolicy(validate=_over_stack([rule], exemptions, today), **_described(rule))


def _described(rule: Rule) -> dict[str, Any]:
    source = rule.sources[0]
    return {
        "name": rule.id,
        "description": f"{rule.title} ({rule.severity}; {rule.cited}; {source.url})",
        "display_name": rule.title,
        "severity": Severity(rule.severity),
        "framework": PolicyComplianceFramework(name=source.catalogue, reference=source.item),
        "url": source.url,
    }


def _over_resource(rule: ResourceRule, exemptions: Sequence[Exemption], today: datetime.date) -> Any:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in rule.types:
            return
        resource = Resource(
            type=args.resource_type,
            name=args.name,
            properties=_plain(args.props),
            urn=args.urn,
            protect=bool(args.opts.protect),
        )
        for violation in assess([resource], exemptions, today, [rule]).violations:
            report(violation.message, None)

    return validate


def _over_stack(rules: Sequence[Rule], exemptions: Sequence[Exemption], today: datetime.date) -> Any:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [
            Resource(
                type=each.resource_type,
                name=each.name,
                properties=_plain(each.props),
                urn=each.urn,
                protect=bool(each.opts.protect),
            )
            for each in args.resources
        ]
        for violation in assess(resources, exemptions, today, rules).violations:
            report(violation.message, None if violation.rule == EXPIRED else violation.urn)

    return validate


def _expired(exemptions: Sequence[Exemption], today: datetime.date) -> Policy:
    over = [each for each in exemptions if each.expired(today)]
    return StackValidationPolicy(
        name=EXPIRED,
        description="An exemption from a rule ends on the day that it names",
        severity=Severity.HIGH,
        validate=_over_stack([], over, today),
    )


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties out of the proxies that raise at what is not known: the rules look at that themselves."""
    return _whole(serialize_properties(properties))


def _whole(value: Any) -> Any:
    """A number travels as a double; here it is an integer again, where it is one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in cast(dict[str, Any], value).items()}
    return [_whole(each) for each in cast(list[Any], value)] if isinstance(value, list) else value
