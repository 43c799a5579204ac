"""Data into the landing bucket, as an outside producer puts it there, and the executions that this starts."""

import hashlib
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import PurePosixPath

from botocore.exceptions import ClientError

from cli.connection import Connection
from models.spec import ModelSpec

Fetch = Callable[[], bytes]


def source_of(spec: ModelSpec) -> Fetch | None:
    """The model's own `source.py`, where it has one."""
    name = f"models.{spec.table}.source"
    if importlib.util.find_spec(name) is None:
        return None
    fetch: Fetch = importlib.import_module(name).fetch
    return fetch


def landing_key(spec: ModelSpec, filename: str, body: bytes) -> str:
    """`<model>/<name>-<digest>.<ending>`: another content never overwrites what landed before."""
    path = PurePosixPath(filename)
    return f"{spec.name}/{path.stem}-{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"


def land(connection: Connection, key: str, body: bytes) -> bool:
    """Put the object into the landing bucket; False when it is there already."""
    s3 = connection.client("s3")
    bucket = connection.names.bucket("landing")
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"404", "NoSuchKey"}:
            raise
    else:
        return False
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return True
