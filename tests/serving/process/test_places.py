import json
from pathlib import Path
from typing import Any

import pytest

from serving.process.places import Place, PlacesError, read_places

BLUE: dict[str, Any] = {"name": "blue", "folder": "/models/3", "weight": 9}
NEXT: dict[str, Any] = {"name": "next", "folder": "/models/5", "shadow": True}


def read(tmp_path: Path, content: object) -> Any:
    file = tmp_path / "variants.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_places(file)


def test_variants_are_read_and_what_answers_comes_first(tmp_path: Path) -> None:
    places = read(tmp_path, {"variants": [NEXT, BLUE], "by": "random"})
    assert places.default == Place(name="blue", folder="/models/3", weight=9)
    assert (places.find("next").shadow, places.find("red"), places.by) == (True, None, "random")


def test_a_variant_is_replaced_in_its_place(tmp_path: Path) -> None:
    places = read(tmp_path, {"variants": [BLUE, NEXT]})
    moved = places.put(Place(name="blue", folder="/models/4"))
    assert [place.folder for place in moved.models] == ["/models/4", "/models/5"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no valid JSON"),
        ([], 'expected an object with "variants"'),
        ({"variants": []}, "must list at least one"),
        ({"variants": [BLUE], "by": "dice"}, "by is 'dice'; expected"),
        ({"variants": ["blue"]}, r"variants\[0\]: expected an object"),
        (
            {"variants": [BLUE | {"wieght": 1}]},
            r"variants\[0\]: unknown key 'wieght'; expected folder",
        ),
        ({"variants": [BLUE, {"name": "green"}]}, r"variants\[1\]: folder is ''; expected a text"),
        ("[" * 200_000, "no valid JSON"),
        ({"variants": [BLUE | {"name": "\u2603"}]}, "name is '\u2603'; expected up to 63 letters, digits and hyphens"),
        ({"variants": [BLUE | {"name": "../blue"}]}, r"name is '\.\./blue'; expected"),
        ({"variants": [BLUE | {"name": "-blue"}]}, "no hyphen first"),
        ({"variants": [BLUE | {"name": "b" * 64}]}, "expected up to 63"),
        ({"variants": [BLUE | {"name": "blue\n"}]}, "expected up to 63"),
        ({"variants": [BLUE | {"weight": -1}]}, "weight is -1; expected a number from 0"),
        ({"variants": [BLUE | {"weight": True}]}, "weight is True"),
        ({"variants": [BLUE | {"shadow": "yes"}]}, "shadow is 'yes'; expected true or false"),
        ({"variants": [BLUE, BLUE]}, "there are two variants 'blue'"),
        ({"variants": [NEXT]}, "no variant answers"),
        ({"variants": [BLUE | {"weight": 0}]}, "no variant answers"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(PlacesError, match=message):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlacesError, match="No such file"):
        read_places(tmp_path / "variants.json")
