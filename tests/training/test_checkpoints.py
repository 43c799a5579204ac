from pathlib import Path

import torch

from training.checkpoints import Checkpoint, latest, run_name, save


def checkpoint(value: float, run: str = "run") -> Checkpoint:
    return Checkpoint({"weight": torch.full((3,), value)}, f'{{"epoch": {value:g}}}', run)


def test_the_newest_whole_checkpoint_is_found_and_old_ones_go(tmp_path: Path) -> None:
    for epoch in (5, 10, 15):
        save(tmp_path, epoch, checkpoint(float(epoch)))
    found, remarks = latest(tmp_path, "run")
    assert found is not None
    assert found.tensors["weight"].tolist() == [15.0] * 3
    assert found.progress == '{"epoch": 15}'
    assert remarks == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000010.safetensors", "epoch-000015.safetensors"]


def test_a_torn_file_costs_one_interval(tmp_path: Path) -> None:
    save(tmp_path, 5, checkpoint(5))
    torn = save(tmp_path, 10, checkpoint(10))
    torn.write_bytes(torn.read_bytes()[:30])
    found, remarks = latest(tmp_path, "run")
    assert found is not None
    assert found.progress == '{"epoch": 5}'
    assert remarks[0].startswith("checkpoint epoch-000010.safetensors is not readable")


def test_a_checkpoint_of_another_run_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, 5, checkpoint(5, run="another"))
    found, remarks = latest(tmp_path, "run")
    assert found is None
    assert "is of another run" in remarks[0]


def test_the_name_of_a_run_depends_on_every_part() -> None:
    assert run_name("spec", {"seed": 0}, [1.0]) == run_name("spec", {"seed": 0}, [1.0])
    assert run_name("spec", {"seed": 0}, [1.0]) != run_name("spec", {"seed": 0}, [1.0000001])
