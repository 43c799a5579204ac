"""The libraries of the Glue jobs as one zip of wheels: a job in a VPC without a way out has no package index to ask.

Glue 5 takes `wheels/requirements.txt` and `wheels/*.whl` from a file that ends in `.gluewheels.zip`.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
"""

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError

LOCK = Path("requirements") / "lake.lock"
# Glue 5: Python 3.11 on Amazon Linux 2023, which has glibc 2.34.
_GLUE = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none"]
_PLATFORMS = ["manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
Download = Callable[[Path, Path], None]


class WheelsError(DeliveryError):
    """The wheels cannot be had; the message is pip's own."""


def upload_wheels(s3: Any, bucket: str, key: str, project_dir: Path, download: Download | None = None) -> bool:
    """Put the zip under `key`, which names the lock's content; False when it is there already."""
    if _is_there(s3, bucket, key):
        return False
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "wheels.zip"
        build_archive(project_dir / LOCK, archive, download or download_wheels)
        with archive.open("rb") as content:
            s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/zip")
    return True


def build_archive(lock: Path, archive: Path, download: Download) -> None:
    """Write the zip of what `download` brings: the same bytes for the same wheels."""
    with tempfile.TemporaryDirectory() as folder:
        download(lock, Path(folder))
        wheels = sorted(Path(folder).glob("*.whl"))
        if not wheels:
            raise WheelsError(f"{lock.name}: no wheel came of it")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as written:
            _add(written, "wheels/requirements.txt", _pins(wheels).encode())
            for wheel in wheels:
                _add(written, f"wheels/{wheel.name}", wheel.read_bytes())


def download_wheels(lock: Path, folder: Path) -> None:
    """pip's download for the machines of Glue, every file held to the hash in the lock."""
    platforms = [each for platform in _PLATFORMS for each in ("--platform", platform)]
    command = [_python_with_pip(), "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-deps", *_GLUE, *platforms, "--requirement", str(lock), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WheelsError(f"pip download --requirement {lock.name} failed: {done.stderr.strip()[-2000:]}")


def _python_with_pip() -> str:
    """The environment that CD deploys with holds what its lock says, and pip is not in it: its base has one."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def _pins(wheels: list[Path]) -> str:
    return "".join(f"{name}=={version}\n" for name, version in (wheel.name.split("-")[:2] for wheel in wheels))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    archive.writestr(entry, content)
