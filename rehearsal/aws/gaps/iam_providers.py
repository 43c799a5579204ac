"""Identity providers: AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider."""

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.responses import IamResponse as Response

from rehearsal.aws.gaps import replace


def install() -> None:
    """Add the two calls."""
    replace(
        Response,
        add_client_id_to_open_id_connect_provider=_add,
        remove_client_id_from_open_id_connect_provider=_remove,
    )


def _add(self: Response) -> ActionResult:
    audiences, audience = _audiences(self), _said(self, "ClientID")
    if audience not in audiences:
        audiences.append(audience)
    return EmptyResult()


def _remove(self: Response) -> ActionResult:
    audiences, audience = _audiences(self), _said(self, "ClientID")
    if audience in audiences:
        audiences.remove(audience)
    return EmptyResult()


def _audiences(self: Response) -> list[str]:
    """The provider's own list; moto refuses a provider that is not there."""
    return self.backend.get_open_id_connect_provider(_said(self, "OpenIDConnectProviderArn")).client_id_list


def _said(self: Response, parameter: str) -> str:
    return str(self._get_param(parameter))  # pyright: ignore[reportPrivateUsage] - moto's way to read a request
