"""`python -m rehearsal.containers build serving|training [--whole]` builds an image and says what it weighs."""

import argparse
import sys
import time

from infra.names import IMAGES
from infra.sources import project_directory
from rehearsal.containers.build import build
from rehearsal.containers.engine import ContainerError, default_folder, open_engine

_MB = 1e6


def main(arguments: list[str]) -> int:
    """Build; the exit status is 1 with one line on stderr when it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.containers", description="The project's images, by podman."
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="build an image of the present sources")
    command.add_argument("image", choices=IMAGES)
    command.add_argument("--whole", action="store_true", help="with the packages in the training image: 6 GB, minutes")
    options = parser.parse_args(arguments)
    project_dir = project_directory()
    begun = time.monotonic()
    try:
        engine = open_engine(default_folder(project_dir))
        built = build(engine, project_dir, options.image, whole=options.whole)
    except ContainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{built.name}\n{built.digest}")
    print(f"base {built.base_bytes / _MB:.0f} MB, without the base {built.own_bytes / _MB:.0f} MB")
    print(f"{time.monotonic() - begun:.0f} s; images are kept in {engine.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
