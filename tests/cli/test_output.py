"""What commands print where there is no terminal: plain lines, no colour."""

import json
import re

import pytest

from cli.output import print_json, print_table, stage


def test_a_stage_says_what_it_did_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("bake [bread]") as step:
        step.note("kneaded")
        step.outcome = "3 loaves"
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [".. bake [bread]", "    kneaded"]
    assert re.fullmatch(r"ok bake \[bread\] \d+\.\d s  3 loaves", lines[2])


def test_a_stage_that_fails_is_not_called_ok(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), stage("bake"):
        raise RuntimeError("no oven")
    assert "ok" not in capsys.readouterr().out


def test_a_table_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("loaves", ("name", "weight"), [("rye [dark]", 1000.0), ("wheat", None)])
    out = capsys.readouterr().out
    assert "rye [dark]" in out
    assert "1,000" in out
    assert "–" in out
    assert "\x1b" not in out


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1, 2]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, 2]}
