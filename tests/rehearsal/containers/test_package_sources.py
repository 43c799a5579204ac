"""Where packages come from is read from this machine and handed in as secrets."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from rehearsal.containers.package_sources import BUNDLE, PackageSources, package_sources


@pytest.fixture
def pip_says(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)

    def say(text: str) -> None:
        answer = subprocess.CompletedProcess[str](args=[], returncode=0, stdout=text, stderr="")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)

    return say


def test_an_index_of_pips_is_that_of_uv_too(pip_says: Any) -> None:
    pip_says(
        "global.index-url='https://one.example/simple'\n:env:.extra-index-url='https://two.example/a https://b.example'\n"
    )
    found = package_sources()
    assert found.pip.splitlines() == [
        "[global]",
        "index-url = https://one.example/simple",
        "extra-index-url = https://two.example/a https://b.example",
    ]
    assert 'url = "https://one.example/simple"\ndefault = true' in found.uv
    assert 'url = "https://b.example"\n' in found.uv


def test_without_configuration_the_installers_keep_their_own_index(pip_says: Any) -> None:
    pip_says("global.timeout='180'\n")
    found = package_sources()
    assert found.pip == "[global]\n"
    assert found.uv == "system-certs = true\n"


def test_uvs_variable_comes_first(pip_says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_says("global.index-url='https://one.example/simple'\n")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert "index-url = https://uv.example/simple" in package_sources().pip


def test_a_build_gets_them_as_secrets_and_the_certificates_as_a_mount(tmp_path: Path) -> None:
    sources = PackageSources(pip="[global]\n", uv="", certificates=Path("/etc/some.crt"))
    options = sources.build_options(tmp_path / "secrets")
    assert options == [
        *("--secret", f"id=pip.conf,src={tmp_path}/secrets/pip.conf"),
        *("--secret", f"id=uv.toml,src={tmp_path}/secrets/uv.toml"),
        *("--volume", f"/etc/some.crt:{BUNDLE}:ro"),
    ]
    assert (tmp_path / "secrets/pip.conf").read_text() == "[global]\n"
