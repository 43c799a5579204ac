from pathlib import Path

import pytest

from serving.process.cpus import Plan, cpu_limit, memory_limit, plan


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_max", ".max")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


@pytest.mark.parametrize(
    ("content", "cpus"), [("150000 100000", 1.5), ("max 100000", 8), ("1600000 100000", 8), ("nonsense", 8)]
)
def test_the_quota_of_version_2(tmp_path: Path, content: str, cpus: float) -> None:
    assert cpu_limit(write(tmp_path, cpu_max=content + "\n"), affinity=8) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("200000", 2), ("-1", 8)])
def test_the_quota_of_version_1(tmp_path: Path, quota: str, cpus: float) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cpu_limit(tmp_path, affinity=8) == cpus


def test_without_a_control_group_the_affinity_counts(tmp_path: Path) -> None:
    assert cpu_limit(tmp_path, affinity=3) == 3
    assert cpu_limit(tmp_path) >= 1


def test_the_memory_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    assert memory_limit(write(tmp_path, memory_max="536870912\n")) == 536870912
    assert memory_limit(write(tmp_path, memory_max="max\n")) is None


@pytest.mark.parametrize(
    ("cpus", "memory", "workers", "threads", "expected"),
    [
        (4.0, None, None, None, Plan(workers=4, threads=1, unshared=True)),
        (0.5, None, None, None, Plan(workers=1, threads=1, unshared=False)),
        (1.9, None, None, None, Plan(workers=1, threads=1, unshared=True)),
        (8.0, 512_000_000, None, None, Plan(workers=3, threads=2, unshared=True)),
        (8.0, 100_000_000, None, None, Plan(workers=1, threads=8, unshared=True)),
        (8.0, None, 2, None, Plan(workers=2, threads=4, unshared=True)),
        (2.0, None, 4, None, Plan(workers=4, threads=1, unshared=False)),
        (8.0, None, None, 3, Plan(workers=8, threads=3, unshared=False)),
    ],
)
def test_the_rule(cpus: float, memory: int | None, workers: int | None, threads: int | None, expected: Plan) -> None:
    assert plan(cpus, memory, workers, threads) == expected
