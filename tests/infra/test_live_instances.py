"""What the configuration says of live instances: numbers by model, or a message."""

import pytest

from infra.live_instances import LiveInstancesError, parse_live_instances


def test_instances_by_model() -> None:
    assert parse_live_instances({"auto-mpg": 3}) == {"auto-mpg": 3}


@pytest.mark.parametrize("document", [[], "3", {"auto-mpg": 0}, {"auto-mpg": "3"}, {"auto-mpg": True}, {1: 3}])
def test_anything_else_is_refused_with_the_key(document: object) -> None:
    with pytest.raises(LiveInstancesError, match="drivetrain:live-instances: "):
        parse_live_instances(document)
