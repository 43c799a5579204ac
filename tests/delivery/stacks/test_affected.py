"""Which stacks a change touches: one table, for an environment in one stack and for one with a stack per model."""

import subprocess

import pytest

from delivery.stacks.affected import Environment, affected
from infra.settings import Settings, load_settings
from infra.sources import project_directory

MODELS = ("auto-mpg", "bikes")
ALL = ["dev-auto-mpg", "dev-bikes"]
RELEASE = '[models.auto-mpg]\npackage = "1"\n[models.bikes]\npackage = "1"\n'


def settings(stack: str, scope: str) -> Settings:
    return load_settings(project_directory(), stack).model_copy(update={"scope": scope})


def touched(path: str, scope: str = "models", before: str = "", after: str = "") -> tuple[list[str], list[str]]:
    dev = Environment(settings=settings("dev", scope), releases_before=before, releases_after=after)
    found = affected([path], [dev], MODELS)["dev"]
    return found["platform"], found["models"]


@pytest.mark.parametrize(
    ("path", "platform", "models"),
    [
        ("models/auto_mpg/network.py", [], ["dev-auto-mpg"]),
        ("models/auto_mpg/source.py", [], ["dev-auto-mpg"]),
        ("models/auto_mpg/model.toml", ["dev"], ["dev-auto-mpg"]),
        ("models/spec.py", ["dev"], ALL),
        ("infra/components/lake.py", ["dev"], ALL),
        ("pipelines/states.py", ["dev"], ALL),
        ("__main__.py", ["dev"], ALL),
        ("Pulumi.yaml", ["dev"], ALL),
        ("Pulumi.dev.yaml", ["dev"], ALL),
        ("Pulumi.production.yaml", [], []),
        ("requirements/infra.lock", ["dev"], ALL),
        ("requirements/training.lock", [], ALL),
        ("requirements/dev.lock", [], []),
        ("requirements/installer.lock", [], ALL),
        (".dockerignore", [], ALL),
        ("monitoring/drift.py", [], ALL),
        ("monitoring/prometheus/serving.rules.yml", [], []),
        ("training/train.py", [], ALL),
        ("serving/app.py", [], ALL),
        ("lake/ingest.py", [], ALL),
        ("infra/policies/catalogue.py", [], []),
        ("infra/bootstrap/state.py", [], []),
        ("docs/growth.md", [], []),
        ("README.md", [], []),
        ("tests/infra/test_scope.py", [], []),
        (".github/workflows/deploy.yml", [], []),
        ("something/new.py", ["dev"], ALL),
    ],
)
def test_a_path_touches_what_it_is_made_into(path: str, platform: list[str], models: list[str]) -> None:
    assert touched(path) == (platform, models)
    anything = bool(platform or models)
    assert touched(path, scope="stack") == (["dev"] if anything else [], [])


def test_a_release_touches_the_models_whose_entries_changed() -> None:
    changed = RELEASE.replace('[models.bikes]\npackage = "1"', '[models.bikes]\npackage = "2"')
    assert touched("releases/dev.toml", before=RELEASE, after=changed) == ([], ["dev-bikes"])
    assert touched("releases/dev.toml", before="", after=RELEASE) == ([], ALL)
    assert touched("releases/dev.toml", before=RELEASE, after=RELEASE + "\n") == ([], [])
    assert touched("releases/production.toml", before=RELEASE, after=changed) == ([], [])
    assert touched("releases/dev.toml", scope="stack", before=RELEASE, after=changed) == (["dev"], [])


def test_each_environment_is_judged_by_its_own_settings() -> None:
    both = [Environment(settings=settings("dev", "models")), Environment(settings=settings("staging", "stack"))]
    assert affected(["models/bikes/network.py", "docs/a.md"], both, MODELS) == {
        "dev": {"platform": [], "models": ["dev-bikes"], "removed": []},
        "staging": {"platform": ["staging"], "models": [], "removed": []},
    }


def test_a_model_whose_folder_is_gone_has_a_stack_that_nothing_deploys() -> None:
    dev = Environment(settings=settings("dev", "models"))
    found = affected(["models/planes/model.toml", "models/planes/network.py"], [dev], MODELS)
    assert found == {"dev": {"platform": ["dev"], "models": [], "removed": ["dev-planes"]}}


def test_what_touches_everything_is_named() -> None:
    """A new folder at the top deploys everything until `affected` is told what it is."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=project_directory(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    everything = {
        entry.name
        for entry in {project_directory() / name.split("/")[0] for name in tracked}
        if not entry.name.startswith((".", "Pulumi.dev", "requirements"))
        and touched(f"{entry.name}/file.py" if entry.is_dir() else entry.name) == (["dev"], ALL)
    }
    assert everything == {"infra", "models", "pipelines", "__main__.py", "Pulumi.yaml"}
