"""FIDELITY.md says what is so: every declared type has a tier, and the file is the one that would be generated."""

from collections.abc import Mapping

import pytest

from infra.sources import project_directory
from rehearsal import fidelity
from rehearsal.provider.registry import handlers


@pytest.fixture(scope="module")
def declared() -> Mapping[str, tuple[str, ...]]:
    return fidelity.stacks_by_type(project_directory())


@pytest.mark.slow
def test_every_declared_type_is_in_a_tier(declared: Mapping[str, tuple[str, ...]]) -> None:
    assert {row.tier for row in fidelity.entries(declared)} <= {"applied", "checked"}
    assert len(declared) > 30


@pytest.mark.slow
def test_the_file_is_not_stale(declared: Mapping[str, tuple[str, ...]]) -> None:
    text = fidelity.render(fidelity.entries(declared))
    assert fidelity.FILE.read_text(encoding="utf-8") == text, "run `python -m rehearsal.fidelity`"


def test_a_type_in_no_tier_is_an_error() -> None:
    with pytest.raises(fidelity.UnclassifiedTypeError, match="aws:eks/cluster:Cluster"):
        fidelity.entries({"aws:eks/cluster:Cluster": ("local",)})


def test_a_row_says_what_the_handler_says() -> None:
    (row,) = fidelity.entries({"aws:ecr/repository:Repository": ("dev",)})
    handler = handlers()["aws:ecr/repository:Repository"]
    assert set(row.dropped) == getattr(handler, "dropped", None)
    assert (
        "| `aws:ecr/repository:Repository` | all | applied | `imageTagMutabilityExclusionFilters` |"
        in fidelity.render((row,))
    )
