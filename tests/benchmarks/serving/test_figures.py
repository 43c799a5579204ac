"""Medians, and a run that goes on where it was cut short."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.serving import __main__ as command
from benchmarks.serving.environments import SetupError
from benchmarks.serving.figures import Figures, Limit, Round
from benchmarks.serving.report import document, show
from benchmarks.serving.servers import WrongAnswerError
from benchmarks.serving.targets import TARGETS, Target
from tests.benchmarks.serving import rounds

ROUND = replace(rounds.ROUND, one_row=100, rows_256=10)


def test_the_median_hides_one_round_that_was_disturbed() -> None:
    found = Figures(rounds={"robyn": [replace(ROUND, one_row=rate) for rate in (90, 3, 100)]})
    assert found.median("robyn", "one_row") == 90
    assert found.median("mlflow", "one_row") is None


def test_figures_come_back_from_their_file(tmp_path: Path) -> None:
    found = Figures(rounds={"robyn": [ROUND]}, limits=[Limit(one_row=5, rows_256=4)], reasons={"mlflow": "no Java"})
    found.save(tmp_path / "kept" / "results.json")
    assert Figures.load(tmp_path / "kept" / "results.json") == found
    (tmp_path / "old.json").write_text('{"rounds": {"robyn": [{"rate": 1}]}, "limits": []}')
    assert Figures.load(tmp_path / "old.json") == Figures.load(tmp_path / "none.json") == Figures()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The order in which servers have their turns; mlflow cannot be set up."""
    order: list[str] = []

    def play(target: Target, _bench: Any) -> tuple[Round, int]:
        order.append(target.name)
        if target.name == "mlflow":
            raise SetupError("no matching version")
        return ROUND, 400

    monkeypatch.setattr(command, "play", play)
    monkeypatch.setattr(command, "play_limit", lambda _bench: Limit(one_row=5, rows_256=4))
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(command, "install_tools", lambda: None)
    monkeypatch.setattr(command, "needs", lambda *_programs: None)
    monkeypatch.setattr(command, "cores", lambda: None)
    return order


def test_rounds_are_interleaved_and_a_peer_that_cannot_be_set_up_harms_no_other(
    played: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--peers", "protocol", "mlflow", "robyn"]) == 0
    assert played == ["protocol", "mlflow", "robyn", "protocol", "robyn", "protocol", "robyn"]
    output = capsys.readouterr().out
    assert "mlflow: not measured: no matching version" in output
    assert "Robyn, msgspec" in output


def test_a_turn_that_failed_is_followed_by_the_next(
    played: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns: list[str] = []

    def play(target: Target, _bench: Any) -> tuple[Round, int]:
        turns.append(target.name)
        if len(turns) == 1:
            raise WrongAnswerError("not ready within 120 s")
        return ROUND, 400

    monkeypatch.setattr(command, "play", play)
    command.main(["--peers", "robyn"])
    found = Figures.load(command.RESULTS)
    assert (len(turns), len(found.rounds["robyn"]), found.reasons) == (3, 2, {})
    assert "round 1, robyn: not ready within 120 s" in capsys.readouterr().err


def test_a_run_goes_on_where_it_was_cut_short(played: list[str]) -> None:
    Figures(rounds={"protocol": [ROUND, ROUND]}).save(command.RESULTS)
    command.main(["--resume", "--peers", "protocol", "robyn"])
    assert played == ["robyn", "robyn", "protocol", "robyn"]
    assert {name: len(found) for name, found in Figures.load(command.RESULTS).rounds.items()} == {
        "protocol": 3,
        "robyn": 3,
    }


def test_the_document_holds_medians_and_goals(tmp_path: Path) -> None:
    found = document(Figures(rounds={"robyn": [ROUND]}, reasons={"mlflow": "no"}))
    assert found["medians"]["robyn"]["one_row"] == 100
    assert {goal["met"] for goal in found["goals"]} == {None}


def test_every_server_has_a_row() -> None:
    console = Console(record=True, width=200)
    show(Figures(rounds={target.name: [ROUND] for target in TARGETS}), console)
    text = console.export_text()
    assert [target.title for target in TARGETS if target.title not in text] == []
