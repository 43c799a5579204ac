"""Raw tensors to rows: numpy's file format, and float32 values one after the other.

Bytes are looked at as they lie, never unpickled: a type that would need it is refused by its header.
"""

import math
import re
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.core.codec.json_compiled import Decoded, Decoder
from serving.core.errors import RequestError
from serving.core.matrix_rules import MatrixRules, real_numbers

_MAGIC: Final = b"\x93NUMPY"
_HEADER_LIMIT: Final = 512
"""A header of a plain array has 118 bytes; numpy pads it to a multiple of 64."""
_HEADER: Final = re.compile(
    rb"\{\s*'descr':\s*('[^']*'|\[.*\])\s*,\s*'fortran_order':\s*(True|False)\s*,"
    rb"\s*'shape':\s*\(([0-9, ]{0,80})\)\s*,?\s*\}\s*"
)
_NUMBER_TYPE: Final = re.compile(r"'[<>|=]?[fiu][1248]'")
_DIMENSIONS: Final = 4


def tensor_decoder(rules: MatrixRules) -> Decoder:
    """A decoder of float32, little-endian, row by row."""
    width = len(rules.features)

    def decode(body: bytes) -> Decoded:
        if len(body) % (4 * width):
            message = (
                f"the body has {len(body)} bytes; expected {4 * width} a row: {width} float32 values, little-endian, "
                f"in the order {', '.join(rules.features)}"
            )
            raise RequestError("malformed_tensor", message)
        matrix = np.frombuffer(body, dtype="<f4").reshape(-1, width)
        return len(matrix), rules.checked(matrix)

    return decode


def npy_decoder(rules: MatrixRules) -> Decoder:
    """A decoder of an array [rows, F], or [F] for one row, of any type of number in numpy's file format."""
    width = len(rules.features)

    def decode(body: bytes) -> Decoded:
        array = npy_array(body)
        numbers = real_numbers(array)
        if numbers is None:
            raise RequestError("wrong_type", f"the array holds {array.dtype}; expected numbers, such as float32")
        if array.ndim == 1 and array.shape[0] == width:
            numbers = numbers.reshape(1, width)
        if numbers.ndim != 2 or numbers.shape[1] != width:
            message = (
                f"the array has the shape {list(array.shape)}; expected [rows, {width}]: {', '.join(rules.features)}"
            )
            raise RequestError("wrong_shape", message)
        return len(numbers), rules.checked(numbers)

    return decode


def npy_array(body: bytes) -> npt.NDArray[Any]:
    """The array in a .npy file, as a view of `body`; RequestError 400 for what is none, or does not hold numbers."""
    if body[:6] != _MAGIC or len(body) < 12:
        raise _malformed("it does not begin as one")
    layout = "<H" if body[6] == 1 else "<I"
    start = 8 + struct.calcsize(layout)
    (size,) = struct.unpack_from(layout, body, 8)
    if size > _HEADER_LIMIT or start + size > len(body):
        raise _malformed(f"its header would have {size} bytes")
    dtype, fortran, shape = _header(body[start : start + size])
    start += size
    count = math.prod(shape)
    if len(body) - start != count * dtype.itemsize:
        found = f"expected {count * dtype.itemsize} bytes of {dtype} {list(shape)}, found {len(body) - start}"
        raise _malformed(found)
    flat = np.frombuffer(body, dtype=dtype, offset=start) if count else np.empty(0, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(text: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """Type, order and shape that a header spells."""
    said = _HEADER.fullmatch(text)
    if said is None:
        raise _malformed("its header cannot be read")
    kind, fortran, numbers = said[1].decode("latin-1"), said[2] == b"True", said[3].decode()
    if not _NUMBER_TYPE.fullmatch(kind):
        raise RequestError("wrong_type", f"the array holds {kind}; expected numbers, such as '<f4'")
    *first, last = [size.strip() for size in numbers.split(",")]
    sizes = [*first, last] if last else first
    if not all(size.isdigit() for size in sizes):
        raise _malformed("its header cannot be read")
    shape = tuple(int(size) for size in sizes)
    if len(shape) > _DIMENSIONS:
        raise RequestError("wrong_shape", f"the array has {len(shape)} dimensions; expected at most {_DIMENSIONS}")
    return np.dtype(kind.strip("'")), fortran, shape


def _malformed(reason: str) -> RequestError:
    return RequestError("malformed_tensor", f"the body is no .npy file: {reason}")
