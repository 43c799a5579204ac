"""Bytes of a request to numbers, and predictions to bytes: a table of decoders and one of encoders, by media type."""

from serving.core.codec.decoding import decoders, request_types
from serving.core.codec.encoding import Encoding, encode_error
from serving.core.codec.json_compiled import stacked
from serving.core.codec.labels import LabelEncoding
from serving.core.codec.media import ANSWERS, CSV, JSON, answer_type, media_type, not_acceptable, unsupported

__all__ = [
    "ANSWERS",
    "CSV",
    "JSON",
    "Encoding",
    "LabelEncoding",
    "answer_type",
    "decoders",
    "encode_error",
    "media_type",
    "not_acceptable",
    "request_types",
    "stacked",
    "unsupported",
]
