"""A model's folder: what is read, and what a person is told when it is wrong."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.spec import ModelSpec, SpecError, discover, find_spec, load_spec, parse_spec

MODELS = Path("models")
AUTO_MPG = (MODELS / "auto_mpg" / "model.toml").read_text()


def test_the_worked_example_is_found() -> None:
    assert "auto-mpg" in [spec.name for spec in discover(MODELS)]


def test_folder_gives_name_and_table() -> None:
    spec = load_spec(MODELS / "auto_mpg")
    assert (spec.name, spec.table) == ("auto-mpg", "auto_mpg")
    assert [column.name for column in spec.feature_columns] == list(spec.features)
    assert spec.target_column.unit == "mi/gal"


def test_a_model_is_found_by_name_and_by_folder() -> None:
    assert find_spec(MODELS, "auto-mpg") == find_spec(MODELS, "auto_mpg")


@pytest.mark.parametrize("name", ["auto-mgp", "", "../models", "."])
def test_an_unknown_model_lists_the_known_ones(name: str) -> None:
    with pytest.raises(SpecError, match=r"unknown model .*models are: .*auto-mpg"):
        find_spec(MODELS, name)


def test_json_brings_the_same_specification_back() -> None:
    spec = load_spec(MODELS / "auto_mpg")
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert ModelSpec.from_json(spec.to_json()).digest == spec.digest


def test_another_specification_has_another_digest() -> None:
    changed = parse_spec("auto_mpg", AUTO_MPG.replace("seed = 0\ntest", "seed = 1\ntest"), "model.toml")
    assert changed.digest != load_spec(MODELS / "auto_mpg").digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[monitor]", "[monitors]", r"models/x/model\.toml: monitors: unknown key"),
        (
            "[monitor]",
            '[formats]\ntried = ["fp16"]\nserved = "int8"\n\n[monitor]',
            r"formats: served is 'int8', which is not",
        ),
        (
            "[monitor]",
            "[serving.asynchronous]\nmax_concurrent = 0\n\n[monitor]",
            r"serving\.asynchronous\.max_concurrent",
        ),
        ("spot = true", 'spot = "yes"', r"training\.spot: Input should be a valid boolean \(found 'yes'\)"),
        ("test_fraction = 0.2", "test_fraction = 1.2", r"split\.test_fraction: .*less than 1 \(found 1\.2\)"),
        ("test_fraction = 0.2", "test_fraction = 0.85", r"split: test_fraction \+ validation_fraction must stay below"),
        ("minimum = 20\nmaximum = 500", "minimum = 500\nmaximum = 20", r"minimum 500 must be below maximum 20"),
        ('target = "mpg"', 'target = "kml"', r"target names 'kml', which is no column; columns are acceleration"),
        ('key = ["name",', 'key = ["nam",', r"key names 'nam', which is no column"),
        ('key = ["name",', 'key = ["horsepower",', r"key column 'horsepower' must not be nullable"),
        ('features = ["cylinders",', 'features = ["mpg",', r"features must not hold the target 'mpg'"),
        ('features = ["cylinders",', 'features = ["name",', r"feature 'name' is a string"),
        ('target = "mpg"', 'target = "origin"', r"features must not hold the target 'origin'"),
        ("categories = [", 'minimum = 1\ncategories = ["', r"no valid TOML"),
        ('["USA", "Europe", "Japan"]', '["USA", "USA"]', r"categories must not repeat"),
        ('type = "category"', 'type = "float"', r"categories must be given for a column of type category"),
        ('"ml.m5.large"\nspot', '"m5.large"\nspot', r"training\.instance_type: .*pattern.* \(found 'm5\.large'\)"),
        ("max_wait_s = 7200", "max_wait_s = 60", r"max_wait_s \(60\) must be at least max_runtime_s \(3600\)"),
        ("maximum = 4\n", "maximum = 0\n", r"serving\.scaling\.maximum: .*greater than or equal to 1"),
        ('metric = "mae"', 'metric = "accuracy"', r"gates\.0\.metric: Input should be 'mae', 'rmse'"),
        ('schedule = "cron(0 3 ? * SUN *)"', 'schedule = "weekly"', r"schedule: must be an EventBridge expression"),
        ('"cron(0 3 ? * SUN *)"', '"cron(whatever)"', r"schedule: must be an EventBridge expression"),
        ('"cron(0 3 ? * SUN *)"', '"cron(0 3 * * * *)"', r"schedule: must be an EventBridge expression"),
        ('"cron(0 3 ? * SUN *)"', '"rate(0 days)"', r"schedule: must be an EventBridge expression"),
        ('"cron(0 3 ? * SUN *)"', '"rate(1 days)"', r"schedule: must be an EventBridge expression"),
        ('"model_year", "origin"]', '"origin", "origin"]', r"features must not name a column twice"),
        ('{ column = "origin" }', '{ column = "name" }', r"slices: 'name' is a string"),
        (
            '{ column = "origin" }',
            '{ column = "origin", width = 2 }',
            r"slices: 'origin' needs a width if",
        ),
        ('{ column = "origin" }', '{ column = "weight" }', r"slices: 'weight' needs a width"),
        ("maximum = 2.2\n", "maximum = 2.2\nminimum = 9\n", r"gates\.0: minimum 9 must not be above maximum 2\.2"),
        ("spot = true", "spot = true\ninstance_count = 2", r"training\.instance_count: .*less than or equal to 1"),
        ("drift_psi = 0.2", "drift_psi = inf", r"monitor\.drift_psi: .*finite"),
    ],
)
def test_a_wrong_specification_names_the_key(old: str, new: str, message: str) -> None:
    assert old in AUTO_MPG
    with pytest.raises(SpecError, match=message):
        parse_spec("x2", AUTO_MPG.replace(old, new, 1), "models/x/model.toml")


def test_a_folder_without_specification_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match=r"models/empty/model\.toml: no such file"):
        load_spec(tmp_path / "empty")
    assert discover(tmp_path) == ()


@pytest.mark.parametrize("folder", ["Cars", "1cars", "a-b", "x" * 30])
def test_a_folder_name_that_aws_could_not_take_is_refused(folder: str) -> None:
    with pytest.raises(SpecError, match="lower-case letters"):
        parse_spec(folder, AUTO_MPG, "model.toml")


def test_text_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "latin"
    folder.mkdir()
    (folder / "model.toml").write_bytes('title = "né"'.encode("latin-1"))
    with pytest.raises(SpecError, match="not UTF-8"):
        load_spec(folder)


@pytest.mark.parametrize(
    "schedule", ["", "rate(1 day)", "rate(12 hours)", "cron(0 3 ? * SUN *)", "cron(0/15 8 1 * ? *)"]
)
def test_a_schedule_that_eventbridge_takes_is_taken(schedule: str) -> None:
    text = AUTO_MPG.replace("cron(0 3 ? * SUN *)", schedule)
    assert parse_spec("cars", text, "model.toml").schedule == schedule


IMAGES = """
title = "Digits"
target = "digit"
key = ["name"]
features = ["picture"]

[columns]
name = { type = "string" }
picture = { type = "image", height = 8, width = 8, channels = 1 }
digit = { type = "category", categories = ["0", "1"] }

[training]
instance_type = "ml.m5.large"

[[gates]]
metric = "mae"
maximum = 1

[serving]
instance_type = "ml.m5.large"
"""


def test_a_model_of_images_is_served_and_nothing_else_yet() -> None:
    with pytest.raises(SpecError, match=r"models/digits/model\.toml: columns\.picture: .*lake, training.*cannot take"):
        parse_spec("digits", IMAGES, "models/digits/model.toml")
    spec = ModelSpec.model_validate({**tomllib.loads(IMAGES), "name": "digits"})
    assert spec.image == spec.column("picture")
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert load_spec(MODELS / "auto_mpg").image is None


@pytest.mark.parametrize("section", ['[formats]\nserved = "int8"', "[serving.asynchronous]\nmax_concurrent = 2"])
def test_with_formats_or_asynchronous_an_image_is_refused_as_early(section: str) -> None:
    text = f"{IMAGES}\n{section}\n"
    with pytest.raises(SpecError, match=r"columns\.picture: .*; expected float, integer, string or category$"):
        parse_spec("digits", text, "models/digits/model.toml")
    spec = ModelSpec.model_validate({**tomllib.loads(text), "name": "digits"})
    assert ModelSpec.from_json(spec.to_json()) == spec, "an artefact of such a model is served"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('features = ["picture"]', 'features = ["picture", "size"]'),
        ('features = ["picture"]', 'features = ["size"]'),
        ('key = ["name"]', 'key = ["picture"]'),
    ],
)
def test_an_image_is_the_only_feature(old: str, new: str) -> None:
    document = tomllib.loads(IMAGES.replace(old, new).replace("[columns]", '[columns]\nsize = { type = "float" }'))
    with pytest.raises(ValidationError, match="'picture' must be the only feature"):
        ModelSpec.model_validate({**document, "name": "digits"})
