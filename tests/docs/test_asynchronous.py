"""The settings of an asynchronous endpoint in `docs/serving.md` are all there are, with their defaults."""

import re
import tomllib

from infra.sources import project_directory
from models.schema import Asynchronous


def test_the_page_shows_every_key_with_its_default() -> None:
    page = (project_directory() / "docs" / "serving.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "asynchronous" in each]
    assert tomllib.loads(block) == {"serving": {"asynchronous": Asynchronous().model_dump()}}
