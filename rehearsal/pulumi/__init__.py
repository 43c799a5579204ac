"""A stand-in for the `pulumi` command, over the engine of the rehearsal.

What deploys knows one way to apply: the command `pulumi` on PATH. Where the real one is not installed (it needs a
700 MB plugin, and AWS), `shim` puts this one there: the same arguments, the same JSON, the same exit codes, the same
files in the same state backend. What it leaves out it refuses by name; it never pretends.
"""

import shlex
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def shim(folder: Path) -> Path:
    """Write an executable `pulumi` into `folder` that runs the stand-in of this checkout; put the folder on PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "pulumi"
    # -P: the folder that pulumi is called in, a checkout too, must not be imported in place of this one.
    python = shlex.quote(sys.executable)
    root = shlex.quote(str(_ROOT))
    script.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -P -m rehearsal.pulumi "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script
