"""What the tests of handlers share: policies, tags, and how a resource is changed and read back."""

import json
from collections.abc import Callable
from typing import Any

from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.registry import handler_of

Make = Callable[..., tuple[str, dict[str, Any]]]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "glue.amazonaws.com"}}],
    }
)
READ = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]}
)
LIST = READ.replace("GetObject", "ListBucket")
TAGS = {"tags": {"a": "1"}, "tagsAll": {"a": "1", "project": "x"}}
RETAGGED = {"tags": {"b": "2"}, "tagsAll": {"b": "2", "project": "x"}}


def changed(aws: EnvironmentClients, token: str, resource_id: str, olds: dict[str, Any], news: dict[str, Any]) -> Any:
    assert not handler_of(token).replace_on & {key for key in news if olds.get(key) != news.get(key)}
    lifecycle.update(handler_of(token), aws, resource_id, olds, news)
    outputs = handler_of(token).read(aws, resource_id, news)
    assert outputs is not None
    return outputs


def holds(outputs: dict[str, Any], inputs: dict[str, Any]) -> bool:
    return {key: outputs.get(key) for key in inputs} == inputs
