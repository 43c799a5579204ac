import pytest
from botocore.exceptions import ClientError

from cli.mistakes import message_of
from infra.settings import SettingsError

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SettingsError("Pulumi.dev.yaml: region is missing"), "Pulumi.dev.yaml: region is missing"),
        (REFUSED, "An error occurred (AccessDenied) when calling the GetObject operation: no"),
        (FileNotFoundError(2, "No such file or directory", "cars.csv"), "cars.csv: No such file or directory"),
        (OSError("the line is cut"), None),
        (ValueError("a mistake of the program itself"), None),
    ],
)
def test_a_mistake_of_the_user_is_a_message_and_one_of_the_program_is_not(
    error: Exception, message: str | None
) -> None:
    assert message_of(error) == message
