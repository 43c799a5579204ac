import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.lifecycle import DEFAULTS, check, diff, drifted_inputs, fresh_name, previewed_outputs
from rehearsal.provider.wire import UNKNOWN


class Queue(ResourceHandler):
    token = "test:queue:Queue"
    autoname = AutoName(name_property="name", max_length=20)
    replace_on = frozenset({"fifo"})
    taggable = True

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        return Created(id=inputs["name"], outputs=inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        return state

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        return None


def checked(news: Properties, olds: Properties | None = None) -> Properties:
    return check(Queue(), logical_name="jobs", old_inputs=olds, new_inputs=news, default_tags={"project": "x"})


def test_an_open_name_is_made_from_the_logical_one_and_kept() -> None:
    first = checked({})
    assert re.fullmatch(r"jobs-[0-9a-f]{7}", first["name"])
    assert first[DEFAULTS] == ["name"]
    assert checked({"size": 1}, first)["name"] == first["name"]


def test_a_given_name_is_taken_and_a_dropped_one_not_kept() -> None:
    given_name = checked({"name": "mine"})
    assert given_name["name"] == "mine"
    assert checked({}, given_name)["name"] != "mine"


def test_the_same_seed_gives_the_same_name() -> None:
    first, second = (
        check(Queue(), logical_name="a", old_inputs=None, new_inputs={}, default_tags={}, seed=b"1") for _ in range(2)
    )
    assert first == second


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("abc-", min_size=1, max_size=80), st.integers(8, 64))
def test_a_name_fits_and_ends_in_seven_digits(logical: str, longest: int) -> None:
    name = fresh_name(AutoName(name_property="name", max_length=longest), logical)
    assert len(name) <= longest
    assert re.search(r"[0-9a-f]{7}$", name)


def test_default_tags_are_merged_and_the_resource_wins() -> None:
    assert checked({"tags": {"project": "y", "a": "b"}})["tagsAll"] == {"project": "y", "a": "b"}
    assert checked({})["tagsAll"] == {"project": "x"}
    assert checked({"tags": UNKNOWN})["tagsAll"] == UNKNOWN


def test_equal_inputs_do_not_differ() -> None:
    first = checked({"size": 1})
    assert not diff(Queue(), old_inputs=first, new_inputs=checked({"size": 1}, first)).changed


def test_a_forced_key_a_new_name_and_an_unknown_value_replace() -> None:
    olds = checked({"fifo": False})
    for news in ({"fifo": True}, {"fifo": False, "name": "other"}, {"fifo": UNKNOWN}):
        assert diff(Queue(), old_inputs=olds, new_inputs=checked(dict(news), olds)).replaces
    by_option = diff(
        Queue(), old_inputs=olds, new_inputs=checked({"fifo": False, "size": 1}, olds), replace_on_changes=["size"]
    )
    assert by_option.replaces == ("size",)


def test_only_a_fixed_name_that_stays_is_deleted_first() -> None:
    fixed = checked({"name": "mine", "fifo": False})
    assert diff(Queue(), old_inputs=fixed, new_inputs=checked({"name": "mine", "fifo": True})).delete_before_replace
    auto = checked({"fifo": False})
    assert not diff(Queue(), old_inputs=auto, new_inputs=checked({"fifo": True}, auto)).delete_before_replace


def test_drift_is_written_into_the_inputs_and_previews_show_the_new_ones() -> None:
    inputs = {"size": 1, "name": "q", DEFAULTS: ["name"]}
    assert drifted_inputs(inputs, {"size": 1, "name": "q"}, {"size": 2, "name": "q"})["size"] == 2
    assert previewed_outputs({"arn": "a", "size": 1}, {"size": 3, DEFAULTS: []}) == {"arn": "a", "size": 3}
