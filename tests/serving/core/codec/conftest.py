"""A specification with every type of column, bounded and not, with and without null."""

import json
from typing import Any

import pytest

from models.spec import ModelSpec, parse_spec

EVERY_TYPE = """
title = "Everything"
target = "y"
key = ["y"]
features = ["real", "above", "bounded", "whole", "count", "class", "maybe", "maybe_count", "maybe_kind"]

[columns]
y = { type = "float" }
real = { type = "float" }
above = { type = "float", minimum = 0.1 }
bounded = { type = "float", minimum = -1, maximum = 0.1 }
whole = { type = "integer" }
count = { type = "integer", minimum = 0, maximum = 1000 }
class = { type = "category", categories = ["a", "b c", "é\\"", "1", "null", ""] }
maybe = { type = "float", maximum = 1e6, nullable = true }
maybe_count = { type = "integer", minimum = -5, nullable = true }
maybe_kind = { type = "category", categories = ["x", "y"], nullable = true }

[training]
instance_type = "ml.m5.large"

[[gates]]
metric = "mae"
maximum = 1

[serving]
instance_type = "ml.m5.large"
max_rows = 5
"""

GOOD: dict[str, Any] = {
    "real": 1.5,
    "above": 0.1,
    "bounded": 0.1,
    "whole": 7,
    "count": 1000,
    "class": "b c",
    "maybe": None,
    "maybe_count": -5,
    "maybe_kind": "y",
}


@pytest.fixture(scope="session")
def every_type() -> ModelSpec:
    return parse_spec("everything", EVERY_TYPE, "model.toml")


@pytest.fixture
def good() -> dict[str, Any]:
    return json.loads(json.dumps(GOOD))
