"""What doctor says of containers: programs, a base, root; none of it stops a rehearsal by processes."""

import os
import shutil

import pytest

from cli import doctor
from cli.doctor import Finding


def containers(monkeypatch: pytest.MonkeyPatch, *found: str, user: int = 0) -> dict[str, Finding]:
    def which(name: str, **_: object) -> str | None:
        return f"/usr/bin/{name}" if name in found else None

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    return {finding.subject: finding for finding in doctor._containers()}  # pyright: ignore[reportPrivateUsage]


def test_what_containers_need_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIVETRAIN_BASE_IMAGE", raising=False)
    findings = containers(monkeypatch, "runc", user=1000)
    assert {subject: finding.state for subject, finding in findings.items()} == {
        "podman": "note",
        "runc": "ok",
        "mmdebstrap": "note",
        "root": "note",
    }
    assert "tests/install_packages" in findings["podman"].advice
    assert "DRIVETRAIN_BASE_IMAGE=" in findings["mmdebstrap"].advice
    assert "sudo make test" in findings["root"].advice


def test_a_base_that_is_named_needs_no_mmdebstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVETRAIN_BASE_IMAGE", "python@sha256:0")
    findings = containers(monkeypatch, "podman", "runc")
    assert {finding.state for finding in findings.values()} == {"ok"}
    assert "python@sha256:0" in findings["mmdebstrap"].detail
