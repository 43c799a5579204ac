"""Whether there is a model to answer with: loading, ready, or failed with a reason. `/ping` is this, no more."""

from serving.core.errors import NotReadyError, PredictionError
from serving.core.service import Service


class Lifecycle:
    """The state of one server process; starts as loading."""

    def __init__(self) -> None:
        self._service: Service | None = None
        self._reason = "the model is loading"

    def ready(self, service: Service) -> None:
        """`service` has answered a row and takes requests from now on."""
        self._service = service

    def failed(self, reason: str) -> None:
        """No model could be loaded."""
        self._service, self._reason = None, reason

    @property
    def service(self) -> Service:
        """The model to answer with; NotReadyError says why there is none."""
        if self._service is None:
            raise NotReadyError(self._reason)
        return self._service

    def check(self) -> None:
        """Have the model answer a row now (some 20 µs); NotReadyError with the reason when it does not."""
        try:
            self.service.warm_up()
        except PredictionError as error:
            raise NotReadyError(str(error)) from error
