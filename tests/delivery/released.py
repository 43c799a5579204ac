"""A stack in an account of the offline AWS with one model released, made by hand: nothing is trained here."""

import base64
import functools
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from werkzeug.serving import make_server

from delivery.images.container_registry import MANIFEST_TYPE, Manifest, digest_of
from delivery.images.signatures import sign
from delivery.images.stack_images import repository
from delivery.releases.accounts import Account
from delivery.releases.proposals import message
from infra.bootstrap.reach import Reach
from infra.iam import Statement, policy_document
from infra.names import IMAGES, Image
from infra.settings import load_settings
from infra.sources import content_tag, project_directory
from models.release import Release, load_releases, write_releases
from models.spec import ModelSpec, load_spec
from rehearsal.aws import accounts, gaps, runtime
from rehearsal.aws.application import Application
from rehearsal.aws.processes import Processes

PROJECT = project_directory()
SPEC: ModelSpec = load_spec(PROJECT / "models" / "auto_mpg")
SNAPSHOT, COMMIT, EXECUTION = "8204377395012438743", "0123abc", "run-1"
METRICS = {"mae": 1.9, "rmse": 2.7, "r2": 0.9, "mape": 0.08}
BASELINE = {"mae": 2.6, "rmse": 3.5, "r2": 0.8, "mape": 0.12}


@contextmanager
def serving_aws(folder: Path) -> Iterator[str]:
    """The rehearsal's AWS in a thread of this process; its address."""
    gaps.install_all()
    server = make_server("127.0.0.1", 0, Application(), threaded=True)
    processes = Processes(folder / runtime.NOTES_FOLDER)
    runtime.activate(runtime.Runtime(state_dir=folder, port=server.server_port, processes=processes))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@functools.cache
def _session() -> Any:
    """Reads the services' descriptions once for all accounts."""
    return boto3.Session()


class Credentials:
    """What an account takes for its session: makes clients with these credentials."""

    def __init__(self, access_key_id: str, secret_access_key: str, region: str, token: str | None = None) -> None:
        self.client = functools.partial(
            _session().client,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            aws_session_token=token,
            region_name=region,
        )


class Stack:
    """One stack: buckets, repositories, key and registry group, as its deployment and bootstrap leave them."""

    def __init__(self, stack: str, account_id: str, endpoint_url: str, folder: Path) -> None:
        key = accounts.administrator(account_id)
        settings = load_settings(PROJECT, stack).model_copy(update={"account_id": account_id})
        session = Credentials(key["access_key_id"], key["secret_access_key"], settings.region)
        self.account = Account(
            settings=settings,
            releases_file=folder / "releases" / f"{stack}.toml",
            session=session,
            endpoint_url=endpoint_url,
        )
        self._make()

    @property
    def bucket(self) -> str:
        return self.account.names.bucket("artifacts")

    @property
    def release(self) -> Release:
        return load_releases(self.account.releases_file)[SPEC.name]

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def _make(self) -> None:
        names = self.account.names
        location = {"LocationConstraint": names.region}
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=location)
        for image in IMAGES:
            self.client("ecr").create_repository(repositoryName=names.repository(image), imageTagMutability="IMMUTABLE")
        self.client("sagemaker").create_model_package_group(ModelPackageGroupName=names.package_group(SPEC.name))
        kms = self.client("kms")
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{names.signing_key_alias}", TargetKeyId=key)

    def as_role(self, role: str, policies: Mapping[str, Callable[[Reach], list[Statement]]]) -> Account:
        """The account as a session of a role with these policies sees it."""
        names, iam = self.account.names, self.client("iam")
        root = {"AWS": [f"arn:aws:iam::{names.account_id}:root"]}
        trust = policy_document(Statement(sid="Assume", actions=("sts:AssumeRole",), principals=root))
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        key = self.client("kms").describe_key(KeyId=self.account.signing_key.key_id)["KeyMetadata"]["Arn"]
        reach = Reach(names=names, protect=True, state_key_arn=key, signing_key_arn=key)
        for kind, statements in policies.items():
            document = policy_document(*statements(reach))
            iam.put_role_policy(RoleName=role, PolicyName=kind, PolicyDocument=document)
        session = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        credentials = Credentials(
            session["AccessKeyId"], session["SecretAccessKey"], names.region, session["SessionToken"]
        )
        return replace(self.account, session=credentials, _clients={})

    def push(self, image: Image, *, signed: bool = True) -> str:
        """An image under the content tag of the present sources; its digest."""
        names = self.account.names
        there = repository(self.account, names.repository(image))
        blobs = {"config": there.put_blob(b"{}"), "layer": there.put_blob(f"the layer of {image}".encode())}
        document = {"config": {"digest": blobs["config"]}, "layers": [{"digest": blobs["layer"]}]}
        text = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, **document})
        digest = digest_of(text.encode())
        there.put(Manifest(text=text, media_type=MANIFEST_TYPE, digest=digest), content_tag(PROJECT, image))
        if signed:
            sign(there, digest, self.account.signing_key)
        return digest

    def put(self, key: str, body: bytes) -> str:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def propose(self, release: Release, execution: str = EXECUTION, *, document: str | None = None) -> str:
        """The signed proposal, as the state machine writes it; with `document`, one that was changed afterwards."""
        text = release.model_dump_json()
        signature = self.account.signing_key.sign(base64.b64decode(message(text)))
        proposal = {
            "document": document or text,
            "signature": base64.b64encode(signature).decode(),
            "key": "arn:aws:kms:…",
            "algorithm": "ECDSA_SHA_256",
        }
        return self.put(f"proposals/{SPEC.name}/{execution}.json", json.dumps(proposal).encode())

    def release_one(self, execution: str = EXECUTION, *, signed: bool = True) -> Release:
        """Everything that a pipeline and an adoption leave behind."""
        digest = self.push("serving", signed=signed)
        artefact, manifest = archive(execution)
        uri = self.put(f"models/{SPEC.name}/{execution}/output/model.tar.gz", artefact)
        folder = f"runs/{SPEC.name}/{execution}/evaluation"
        self.put(f"{folder}/model_card.md", b"# The model")
        evaluation = self.put(f"{folder}/evaluation.json", json.dumps({"baseline": BASELINE}).encode())
        image = repository(self.account, self.account.names.repository("serving")).uri(digest)
        arn = self._register(uri, image, manifest, evaluation, execution)
        release = Release(
            package=arn,
            artefact=uri,
            artefact_sha256=hashlib.sha256(artefact).hexdigest(),
            manifest_sha256=manifest,
            image=image,
            snapshot=SNAPSHOT,
            commit=COMMIT,
            metrics=METRICS,
        )
        self.propose(release, execution)
        write_releases(self.account.releases_file, {SPEC.name: release})
        return release

    def _register(self, artefact: str, image: str, manifest: str, evaluation: str, execution: str) -> str:
        container = {"Image": image, "ModelDataUrl": artefact, "Environment": {"MODEL_MANIFEST_SHA256": manifest}}
        answer = self.client("sagemaker").create_model_package(
            ModelPackageGroupName=self.account.names.package_group(SPEC.name),
            ModelPackageDescription="auto-mpg",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": evaluation}}},
            CustomerMetadataProperties={"execution": execution, "snapshot": SNAPSHOT, "commit": COMMIT},
        )
        return answer["ModelPackageArn"]


def archive(execution: str) -> tuple[bytes, str]:
    """An artefact, and the sha256 of the manifest in it."""
    manifest = json.dumps({"dataset": {"snapshot_id": SNAPSHOT}, "git_commit": COMMIT, "run": execution}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (
            ("model.onnx", b"graph " * 1000),
            ("manifest.json", manifest),
            ("spec.json", SPEC.to_json().encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0), hashlib.sha256(manifest).hexdigest()
