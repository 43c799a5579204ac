"""Stands in for cosign 3: signs with the key in KMS as cosign does, and keeps attestations as files.

moto's registry has no referrers, which is where cosign puts attestations; they go to REHEARSED_ATTESTATIONS instead.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3

from delivery.images.container_registry import Repository
from delivery.images.signatures import sign as attach_signature
from delivery.releases.signing import SigningKey

_PREDICATES = ("spdxjson", "slsaprovenance1")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "signing-config":
        Path(options.out).write_text('{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}')
        return 0
    repository, digest = _image(options.image)
    key = SigningKey(client=boto3.client("kms"), alias=_alias(options.key))
    if options.command == "sign":
        if options.signing_config or options.new_bundle_format != "false" or options.tlog_upload != "false":
            return _refuse("signatures are attached as tags, in the format of cosign 2, with no transparency log")
        attach_signature(repository, digest, key)
        return 0
    predicate = json.loads(Path(options.predicate).read_text())
    if options.type not in _PREDICATES or not options.signing_config:
        return _refuse(f"--type {options.type} --signing-config {options.signing_config}")
    folder = Path(os.environ["REHEARSED_ATTESTATIONS"], digest.removeprefix("sha256:"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{options.type}.json").write_text(json.dumps(predicate))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cosign", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    config = commands.add_parser("signing-config")
    config.add_argument("action", choices=["create"])
    config.add_argument("--out", required=True)
    sign = commands.add_parser("sign")
    attest = commands.add_parser("attest")
    for command in (sign, attest):
        command.add_argument("--yes", action="store_true", required=True)
        command.add_argument("--key", required=True)
        command.add_argument("--signing-config")
        command.add_argument("image")
    for flag in ("--new-bundle-format", "--use-signing-config", "--tlog-upload"):
        sign.add_argument(flag)
    attest.add_argument("--type", required=True)
    attest.add_argument("--predicate", required=True)
    return parser


def _image(name: str) -> tuple[Repository, str]:
    address, _, digest = name.partition("@")
    registry, _, repository = address.partition("/")
    if not digest.startswith("sha256:"):
        sys.exit(_refuse(f"{name} names no digest"))
    found = Repository(client=boto3.client("ecr"), registry=registry, name=repository)
    if found.find(digest=digest) is None:
        sys.exit(_refuse(f"{name}: MANIFEST_UNKNOWN"))
    return found, digest


def _alias(reference: str) -> str:
    return SimpleNamespace(alias=reference.removeprefix("awskms:///alias/")).alias


def _refuse(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
