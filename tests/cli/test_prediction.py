"""What a person is told when an endpoint gives no prediction."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.prediction import PredictionError, invoke
from infra.settings import load_settings
from models.spec import find_spec

NOT_FOUND = {"Error": {"Code": "ValidationError", "Message": "Endpoint x of account 1 not found."}}
REFUSED = {
    "Error": {"Code": "ModelError", "Message": "Received client error (400) from primary"},
    "OriginalMessage": '{"error": {"message": "row 0, field \'weight\': missing"}}',
}
BARE = {"Error": {"Code": "ModelError", "Message": "Received server error (500)"}, "OriginalMessage": "no JSON"}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (NOT_FOUND, r"endpoint drivetrain-local-auto-mpg: .* not found\.; a model gets its endpoint with its first"),
        (REFUSED, r"^row 0, field 'weight': missing$"),
        (BARE, r"^no JSON$"),
    ],
)
def test_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, response: Any, message: str) -> None:
    class Runtime:
        def invoke_endpoint(self, **_request: object) -> None:
            raise ClientError(response, "InvokeEndpoint")

    monkeypatch.setattr(Connection, "client", lambda *_: Runtime())
    connection = Connection(
        project_dir=Path(), settings=load_settings(Path(), "local"), releases_file=Path(), rehearsal=None
    )
    with pytest.raises(PredictionError, match=message):
        invoke(connection, find_spec(Path("models"), "auto-mpg"), b"{}", "application/json")
