"""What a caller did wrong, as one exception that every front turns into its own kind of answer."""


class RequestError(Exception):
    """A request that is refused: `status` is the HTTP status, `code` a stable word for programs, the rest for people.

    `row` counts from 0 in the order sent; `field` is the column's name. Both are None where the request as a whole is
    at fault. `retry_after` is for refusals that a caller may repeat: seconds to wait.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        row: int | None = None,
        field: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.row = row
        self.field = field
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """The reason with its place in front: `row 0, field 'weight': expected …`."""
        place = [f"row {self.row}"] if self.row is not None else []
        place += [f"field {self.field!r}"] if self.field is not None else []
        return f"{', '.join(place)}: {self}" if place else str(self)

    def document(self) -> dict[str, object]:
        """The body of the error answer, for a JSON encoder."""
        field = None if self.field is None else _encodable(self.field)
        return {"error": {"code": self.code, "message": _encodable(self.message), "field": field, "row": self.row}}


class NotReadyError(RequestError):
    """No model can answer at the moment; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__("not_ready", reason, status=503, retry_after=1)


class PredictionError(RequestError):
    """The model gave no usable answer to valid rows: our fault, status 500; the message names the row."""

    def __init__(self, reason: str) -> None:
        super().__init__("internal", reason, status=500)


def bare(error: RequestError) -> RequestError:
    """`error` without traces, its cause's neither: their frames hold what is to hold it.

    That would be a circle as large as what was refused.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _encodable(text: str) -> str:
    """`text`, which may quote the caller, with whatever UTF-8 cannot tell (half a surrogate pair) as "?"."""
    return text.encode(errors="replace").decode()
