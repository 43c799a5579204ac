from rehearsal.provider.detail import detailed
from rehearsal.provider.lifecycle import Difference
from rehearsal.provider.wire import UNKNOWN


def test_each_difference_has_its_path_and_kind() -> None:
    olds = {"name": "a", "tags": {"x.y": "1", "z": "1"}, "rules": [{"id": "r", "days": 1}], "gone": 1}
    news = {"name": "b", "tags": {"x.y": "2", "z": "1"}, "rules": [{"id": "r", "days": 2}, {"id": "s"}], "new": UNKNOWN}
    difference = Difference(changed=("gone", "name", "new", "rules", "tags"), replaces=("name",))
    assert detailed(difference, olds, news) == {
        "gone": "DELETE",
        "name": "UPDATE_REPLACE",
        "new": "ADD",
        "rules[0].days": "UPDATE",
        "rules[1]": "ADD",
        'tags["x.y"]': "UPDATE",
    }
