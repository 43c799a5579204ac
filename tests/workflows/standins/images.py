"""Building, listing and signing images: the sources are pushed as the rehearsal's images are, and KMS really signs."""

import json
import os
from pathlib import Path

import boto3
import dockerfile
import job
from botocore.exceptions import ClientError

from infra.names import IMAGES, Image, Names
from infra.sources import content_tag
from rehearsal import images

REQUIRED_OUTPUT = "type=image,push=true,oci-mediatypes=false"


def log_in(_: dict[str, str]) -> None:
    """A token of the account's registry."""
    answer = boto3.client("ecr").get_authorization_token()
    job.output("registry", str(answer["authorizationData"][0].get("proxyEndpoint")).removeprefix("https://"))
    job.variable("REHEARSED_LOGGED_IN", "true")


def set_up(_: dict[str, str]) -> None:
    """Nothing is built here."""
    job.variable("REHEARSED_BUILDER", "true")


def build_and_push(inputs: dict[str, str]) -> None:
    """Push the sources of the image whose Dockerfile is named, under the tag that was asked for."""
    for variable, missing in (
        ("REHEARSED_LOGGED_IN", "nobody logged in"),
        ("REHEARSED_BUILDER", "there is no builder"),
    ):
        if os.environ.get(variable) != "true":
            job.fail(f"the registry refuses the push: {missing}")
    if inputs["outputs"] != REQUIRED_OUTPUT or inputs["provenance"] != "false" or inputs["sbom"] != "false":
        job.fail("SageMaker refuses what is not one manifest of Docker's type")
    workspace = Path(os.environ["GITHUB_WORKSPACE"])
    recipe = workspace / inputs["context"] / inputs["file"]
    if not recipe.is_file():
        job.fail(f"failed to read dockerfile: open {inputs['file']}: no such file or directory")
    given = dict(line.split("=", 1) for line in inputs["build-args"].split())
    try:
        dockerfile.bases(recipe.read_text(encoding="utf-8"), given)
    except ValueError as error:
        job.fail(f"failed to solve: {error}")
    image: Image = next(each for each in IMAGES if each == recipe.parent.name)
    address, _, tag = inputs["tags"].rpartition(":")
    registry, _, repository = address.partition("/")
    project, stack = repository.removesuffix(f"-{image}").split("-", 1)
    account, region = registry.split(".")[0], registry.split(".")[3]
    names = Names(project=project, stack=stack, account_id=account, region=region)
    if tag != content_tag(workspace, image):
        job.fail(f"{tag} is not the tag of the sources, {content_tag(workspace, image)}")
    if not given.get("GIT_COMMIT"):
        job.fail("the commit that goes into the image has to be said")
    digest = images.push(workspace, image, names, dict(os.environ))
    print(f"pushed {address}:{tag} as {digest}")
    job.output("digest", digest)


def list_contents(inputs: dict[str, str]) -> None:
    """An SPDX document of the image's lock, if the registry has the image."""
    address, _, digest = inputs["image"].partition("@")
    repository = address.partition("/")[2]
    try:
        boto3.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        job.fail(f"could not fetch image {inputs['image']}: {error}")
    image = repository.rpartition("-")[2]
    lock = Path(os.environ["GITHUB_WORKSPACE"], "requirements", f"{image}.lock").read_text()
    packages = [line.split()[0].split("==") for line in lock.splitlines() if "==" in line and line[0].isalpha()]
    document = {
        "spdxVersion": "SPDX-2.3",
        "name": inputs["image"],
        "packages": [{"name": name, "versionInfo": version.rstrip(";")} for name, version in packages],
    }
    Path(inputs["output-file"]).write_text(json.dumps(document), encoding="utf-8")


def install_cosign(inputs: dict[str, str]) -> None:
    """A stand-in for cosign on the path."""
    if not inputs["cosign-release"].startswith("v3."):
        job.fail(f"cosign {inputs['cosign-release']} is not what the workflow is written for")
    job.tool(
        "cosign",
        f'PYTHONPATH="$GITHUB_WORKSPACE" exec "$REHEARSED_PYTHON" "{Path(__file__).with_name("cosign.py")}" "$@"',
    )
