"""Tar archives: the same files always give the same bytes, and unpacking never leaves its folder."""

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path


class ArchiveError(Exception):
    """An archive that cannot be unpacked; the text says why."""


def pack(folder: Path, files: Iterable[Path]) -> bytes:
    """A gzipped tar of `files` (relative to `folder`): sorted, owned by nobody, of 1970."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(files):
            path = folder / file
            entry = tarfile.TarInfo(file.as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    return packed.getvalue()


def pack_folder(folder: Path) -> bytes | None:
    """Everything in the folder as such an archive; None when it holds no file."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return pack(folder, files) if files else None


def unpack(content: bytes, folder: Path) -> None:
    """Unpack into a folder made anew. Raises ArchiveError; links, devices and paths that lead outside are refused."""
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            archive.extractall(half, filter="data")
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        shutil.rmtree(half, ignore_errors=True)
        raise ArchiveError(str(error)) from error
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
