"""The Pulumi program."""

from infra.platform import declare

declare()
