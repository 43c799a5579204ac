"""What can be asked of the control socket: `GET /status` and `POST /model`. Standard library only."""

import json
import time
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import cast

from serving.observe import shared
from serving.process.channel import Message
from serving.process.control import Answer, ControlRequest
from serving.process.places import Place
from serving.process.slot import Slot
from serving.process.supervisor import Supervisor
from serving.process.swap import Outcome

_TEXTS = ("folder", "manifest_sha256", "release", "variant")


class CommandError(Exception):
    """A request to the control socket that cannot be understood; the message names the key."""


def handle(supervisor: Supervisor, request: ControlRequest, answer: Answer) -> None:
    """Do what is asked; `answer` is called when it is done."""
    if (request.method, request.path) == ("GET", "/status"):
        answer(HTTPStatus.OK, status(supervisor))
        return
    if (request.method, request.path) != ("POST", "/model"):
        answer(HTTPStatus.NOT_FOUND, {"error": "there are GET /status and POST /model"})
        return
    try:
        place, other_model = read_command(supervisor, request.body)
    except CommandError as error:
        answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        return

    def done(outcome: Outcome) -> None:
        if outcome.done:
            answer(HTTPStatus.OK, {"swapped": True, "workers": len(supervisor.slots), **outcome.about})
        else:
            answer(HTTPStatus.CONFLICT, {"swapped": False, "error": outcome.reason})

    supervisor.swaps.request(place, done, other_model=other_model)


def read_command(supervisor: Supervisor, body: bytes) -> tuple[Place, bool]:
    """The model to take and whether it may be another one; CommandError says what is wrong."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the body is no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise CommandError('the body must be an object such as {"folder": "/models/4"}')
    content = cast("dict[str, object]", document)
    unknown = sorted(content.keys() - {*_TEXTS, "other_model"})
    if unknown:
        raise CommandError(f"unknown key {unknown[0]!r}; expected {', '.join(_TEXTS)}, other_model")
    for key in _TEXTS:
        if not isinstance(content.get(key, ""), str):
            raise CommandError(f"{key} is {content[key]!r}; expected a text")
    texts = {key: str(content.get(key, "")).strip() for key in _TEXTS}
    if not texts["folder"]:
        raise CommandError("folder is missing; expected where the artefact lies")
    other_model = content.get("other_model", False)
    if not isinstance(other_model, bool):
        raise CommandError(f"other_model is {other_model!r}; expected true or false")
    digest = texts["manifest_sha256"].lower()
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise CommandError(f"manifest_sha256 is {digest!r}; expected 64 hexadecimal digits")
    places = supervisor.swaps.places
    served = places.find(texts["variant"]) if texts["variant"] else places.default
    if served is None:
        known = ", ".join(repr(place.name) for place in places.models)
        raise CommandError(f"there is no variant {texts['variant']!r}; there are {known}")
    place = replace(
        served,
        folder=str(Path(texts["folder"]).absolute()),
        manifest_sha256=digest or None,
        release=texts["release"],
    )
    return place, other_model


def status(supervisor: Supervisor) -> Message:
    """Workers and models as they are now."""
    now = time.monotonic()
    first = supervisor.slots[0].cells
    models: list[Message] = [
        {
            "variant": place.name,
            "folder": place.folder,
            "manifest_sha256": place.manifest_sha256,
            "release": place.release,
            "weight": place.weight,
            "shadow": place.shadow,
        }
        for place in supervisor.swaps.places.models
    ]
    return {
        "ready": any(slot.ready and slot.cells[shared.READY] for slot in supervisor.slots),
        "models": models,
        "workers": [_worker(slot, now) for slot in supervisor.slots],
        "swaps": int(first[shared.SWAPS]),
        "swaps_refused": int(first[shared.SWAPS_FAILED]),
        "swapping": supervisor.swaps.busy,
    }


def _worker(slot: Slot, now: float) -> Message:
    cells = slot.cells
    return {
        "worker": slot.number,
        "pid": slot.pid,
        "ready": bool(slot.ready and cells[shared.READY]),
        "heartbeat_age_seconds": round(now - cells[shared.HEARTBEAT], 3) if cells[shared.HEARTBEAT] else None,
        "restarts": int(cells[shared.RESTARTS]),
        "stuck": int(cells[shared.STUCK]),
        "connections": int(cells[shared.CONNECTIONS]),
        "queue_depth": int(cells[shared.QUEUE_DEPTH]),
        "resident_bytes": int(cells[shared.RESIDENT_BYTES]),
    }
