"""The unique name of a resource: `urn:pulumi:<stack>::<project>::<parent type$…type>::<name>`.

The rules are those of `resource.NewURN` in pulumi/pulumi (`sdk/go/common/resource/urn`): the stack is never a parent
type, and the whole chain of component types is kept.
"""

STACK_TYPE = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
PROVIDER_PREFIX = "pulumi:providers:"


def make_urn(*, stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of `name`; `parent` is a URN or empty."""
    chain = qualified_type(parent) if parent else ""
    prefix = "" if chain in ("", STACK_TYPE) else f"{chain}$"
    return f"urn:pulumi:{stack}::{project}::{prefix}{type_}::{name}"


def qualified_type(urn: str) -> str:
    """The types of the parents and of the resource itself, joined by `$`."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """The type of the resource itself."""
    return qualified_type(urn).rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The logical name, which may itself hold `::`."""
    return urn.split("::", 3)[3]


def provider_urn(reference: str) -> str:
    """The URN in a provider reference `<urn>::<id>`."""
    return reference.rsplit("::", 1)[0]
