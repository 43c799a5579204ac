"""Bytes to numbers: the table of decoders of one model, by media type, compiled from its specification at load.

Every decoder gives the rows as they go into the model and has checked them by the same rules; what a value may be is
`serving.core.validation`'s to say, in numbers or in words.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.codec import media
from serving.core.codec.arrow_rows import arrow_decoder
from serving.core.codec.csv_compiled import compiled_csv
from serving.core.codec.csv_exact import csv_rows
from serving.core.codec.json_compiled import Decoded, Decoder, compiled_json
from serving.core.codec.json_exact import json_rows
from serving.core.codec.row_type import compilable
from serving.core.codec.tensors import npy_decoder, tensor_decoder
from serving.core.matrix_rules import MatrixRules
from serving.core.validation import Validator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def request_types(spec: ModelSpec) -> tuple[str, ...]:
    """The media types that the model takes."""
    return tuple(decoders(spec))


def decoders(spec: ModelSpec) -> Mapping[str, Decoder]:
    """A decoder a media type that the model takes; it raises RequestError with row and field of the first fault."""
    if spec.image:
        # Pillow is for those who need it: it takes 30 ms of a server's start.
        from serving.core.codec.images import image_decoders  # noqa: PLC0415

        return image_decoders(spec, spec.image)
    validator = Validator(spec)

    def checked(rows: Sequence[object]) -> Decoded:
        return len(rows), feature_matrix(spec, validator.columns(rows))

    def exact_json(body: bytes) -> Decoded:
        return checked(json_rows(body.removeprefix(_BYTE_ORDER_MARK), spec.features))

    def exact_csv(body: bytes) -> Decoded:
        return checked(csv_rows(body.removeprefix(_BYTE_ORDER_MARK), spec))

    rules = MatrixRules(spec, validator)
    fast = compilable(spec)
    return MappingProxyType(
        {
            media.JSON: compiled_json(spec, exact_json) if fast else exact_json,
            media.CSV: compiled_csv(spec, rules, exact_csv) if fast else exact_csv,
            media.ARROW: (arrow := arrow_decoder(rules)),
            media.ARROW_FILE: arrow,
            media.NPY: npy_decoder(rules),
            media.TENSOR: tensor_decoder(rules),
        }
    )
