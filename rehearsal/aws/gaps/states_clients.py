"""Step Functions calls other services as the state machine's role, in that role's account.

moto's interpreter calls them without credentials, so that everything happens in its default account.
"""

import importlib
import sys
import threading
from typing import Any

from rehearsal.aws import accounts

_UTILITY = "moto.stepfunctions.parser.asl.utils.boto_client"
_FACTORY = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_factory"
_NAME = "boto_client_for"
_clients: dict[tuple[str, str, str], Any] = {}
_lock = threading.Lock()


def install() -> None:
    """Replace the function everywhere it was imported to."""
    importlib.import_module(_FACTORY)
    importlib.import_module("moto.stepfunctions.parser.models")
    original = getattr(importlib.import_module(_UTILITY), _NAME)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and getattr(module, _NAME, None) is original:
            setattr(module, _NAME, client_for)


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """The boto3 client with which a task of that role calls `service`."""
    role = str(state_credentials.role_arn)
    key = (service, region, role)
    with _lock:
        if key not in _clients:
            # moto's interpreter does not say here which state machine of the account it runs
            machines = f"arn:aws:states:{region}:{role.split(':')[4]}:stateMachine:*"
            accounts.trust(role, "states.amazonaws.com", region=region, source_arn=machines)
            session = accounts.assume(role, region=region, session="StepFunctions")
            _clients[key] = accounts.client(service, session)
        return _clients[key]
