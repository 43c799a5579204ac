"""Every refusal that a caller can meet on `/invocations`: the status, what it means, and its codes.

A test reads the sources for every code that is raised, so that none is left out here.
"""

from typing import Final

REFUSALS: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    400: (
        "The request is not right; the message names the row, the field and what would be right.",
        (
            "malformed_json",
            "malformed_csv",
            "malformed_arrow",
            "malformed_tensor",
            "malformed_image",
            "no_rows",
            "wrong_type",
            "wrong_shape",
            "missing_field",
            "extra_field",
            "null_value",
            "unknown_category",
            "out_of_range",
            "not_finite",
            "unknown_variant",
            "malformed_encoding",
            "malformed_request",
        ),
    ),
    406: ("None of the media types in `Accept` can be answered in.", ("not_acceptable",)),
    408: ("The request did not arrive in time.", ("timeout",)),
    413: ("The body is too large, or holds too many rows.", ("body_too_large", "too_many_rows")),
    414: ("The address is too long.", ("target_too_long",)),
    415: (
        "`Content-Type` or `Content-Encoding` is not supported.",
        ("unsupported_content_type", "unsupported_content_encoding"),
    ),
    417: ("`Expect` holds something else than `100-continue`.", ("expectation_failed",)),
    431: ("The headers are too large.", ("headers_too_large",)),
    500: ("The model failed on these rows; the fault is ours.", ("internal",)),
    503: (
        "No model is ready, or too many requests wait; `Retry-After` says when to come again.",
        ("not_ready", "overloaded", "too_many_connections"),
    ),
    504: ("The answer would come later than the caller waits.", ("deadline_exceeded",)),
}
"""By status: the meaning and the values of `error.code`."""
ELSEWHERE: Final = {
    404: ("There is no such path.", "not_found"),
    405: ("The path does not take this method; `Allow` names those that it takes.", "method_not_allowed"),
}
"""Refusals of requests for other paths and by other methods, which the document says once."""
