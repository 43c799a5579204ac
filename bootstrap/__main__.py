"""The bootstrap's Pulumi program."""

from infra.bootstrap.program import declare

declare()
