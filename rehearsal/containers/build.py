"""The project's two images, built by podman from their Dockerfiles: once per content and base."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.names import Image
from infra.sources import content_tag, git_commit
from rehearsal.containers import orphans, training_packages
from rehearsal.containers.base_image import base_image
from rehearsal.containers.engine import Engine
from rehearsal.containers.package_sources import package_sources, uv_cache

_PYTHON_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image in podman's storage. `id` and `digest` (of its manifest) are `sha256:…`; sizes are bytes."""

    name: str
    id: str
    digest: str
    base_bytes: int
    own_bytes: int
    """Without the base."""


def build(engine: Engine, project_dir: Path, image: Image, *, whole: bool = False) -> BuiltImage:
    """The image of the present sources, built when it is not there. ContainerError says why it cannot be.

    `whole` builds the training image with its packages in it, as the workflows do.
    """
    mounted = image == "training" and not whole
    kind = "-mounted" if mounted else ""
    with engine.building("base"):
        base = base_image(engine)
    with engine.building(f"{image}{kind}"):
        name = (
            f"localhost/drivetrain-{image}:{content_tag(project_dir, image)}-{base.removeprefix('sha256:')[:8]}{kind}"
        )
        if not engine.has_image(name):
            orphans.remove_orphans(engine)
            options = _mounted_options(engine, project_dir, base) if mounted else []
            _build(engine, project_dir, image, name=name, base=base, options=options)
        return _built(engine, name, base)


def _build(engine: Engine, project_dir: Path, image: Image, *, name: str, base: str, options: list[str]) -> None:
    cache = uv_cache()
    with tempfile.TemporaryDirectory(dir=engine.folder / "copies") as secrets:
        engine.call(
            "build",
            *("--format", "docker", "--network", "host", "--force-rm", "--pull-never"),
            *("--build-arg", f"BASE_IMAGE={base.removeprefix('sha256:')}"),
            *("--build-arg", f"GIT_COMMIT={git_commit(project_dir, image)}"),
            *(("--build-context", f"uv-cache={cache}") if cache else ()),
            *package_sources().build_options(Path(secrets)),
            *options,
            *("--tag", name, "--file", str(project_dir / image / "Dockerfile"), str(project_dir)),
        )


def _mounted_options(engine: Engine, project_dir: Path, base: str) -> list[str]:
    """Build on a base with an empty environment, over which the packages are mounted here as they are when it runs."""
    base = base.removeprefix("sha256:")
    python = _python_version(engine, base)
    label = training_packages.prepare(engine, project_dir, python)
    name = f"localhost/drivetrain-environment:{base[:16]}-{label.partition(':')[0]}"
    if not engine.has_image(name):
        with tempfile.TemporaryDirectory(dir=engine.folder / "copies") as context:
            (Path(context) / "Dockerfile").write_text(
                f"FROM {base}\n"
                f"RUN python3 -m venv --without-pip {training_packages.ENVIRONMENT}\n"
                f'LABEL {training_packages.LABEL}="{label}"\n'
            )
            engine.call("build", "--format", "docker", "--network=none", "--force-rm", "--tag", name, context)
    return ["--build-context", f"packages=container-image://{name}", *training_packages.mount_options(engine, label)]


def _python_version(engine: Engine, base: str) -> str:
    """Such as 3.11. The container is removed afterwards: with --rm, podman may find it gone before its exit code."""
    name = "drivetrain-python-version"
    try:
        options = ("--replace", "--name", name, *orphans.label_options(), "--network=none")
        return engine.call("run", *options, base, "python3", "-c", _PYTHON_VERSION)
    finally:
        engine.remove(name)


def _built(engine: Engine, name: str, base: str) -> BuiltImage:
    found, below = engine.inspect(name), engine.inspect(base)
    return BuiltImage(
        name=name,
        id=f"sha256:{str(found['Id']).removeprefix('sha256:')}",
        digest=str(found["Digest"]),
        base_bytes=int(below["Size"]),
        own_bytes=int(found["Size"]) - int(below["Size"]),
    )
