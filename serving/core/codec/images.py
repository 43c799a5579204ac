"""PNG and JPEG to what a network of images takes: float32 [1, C, H, W] in 0 to 1, in the size of the specification.

Only these two formats are tried, and the size that a header announces is checked before anything is unpacked, since a
few hundred bytes can hold a picture of gigabytes. A picture is turned as its camera says, laid on white where it is
transparent, and made smaller or larger without regard to its proportions. Normalisation is the graph's.
"""

import io
import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from models.schema import Column, spelt
from models.spec import ModelSpec
from serving.core.codec import media
from serving.core.codec.json_compiled import Decoded, Decoder
from serving.core.codec.tensors import npy_array
from serving.core.errors import RequestError
from serving.core.matrix_rules import shortest
from serving.core.session import Matrix
from serving.core.validation import Validator

MOST_PIXELS: Final = 25_000_000
"""What a telephone's camera gives; 75 MB once unpacked."""
_FORMATS: Final = {media.PNG: "PNG", media.JPEG: "JPEG"}
_WHITE: Final = (255, 255, 255, 255)


def image_decoders(spec: ModelSpec, column: Column) -> Mapping[str, Decoder]:
    """A decoder a media type for a model whose one feature is the image `column`."""
    return {
        **{media_type: _picture_decoder(column, name) for media_type, name in _FORMATS.items()},
        media.NPY: _npy_decoder(spec, column),
        media.TENSOR: _tensor_decoder(spec, column),
    }


def _picture_decoder(column: Column, name: str) -> Decoder:
    def decode(body: bytes) -> Decoded:
        if not body:
            raise RequestError("no_rows", f"the body is empty; expected a {name} image", field=column.name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return 1, _pixels(body, name, column)
        except (RequestError, MemoryError):
            raise
        except Exception as error:  # Pillow raises a class of its own for each way that a file can be damaged.
            message = f"the body is no {name} image that can be read: {error}"
            raise RequestError("malformed_image", message, field=column.name) from error

    return decode


def _pixels(body: bytes, name: str, column: Column) -> Matrix:
    channels, height, width = column.shape
    with Image.open(io.BytesIO(body), formats=(name,)) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            size = f"{opened.width} × {opened.height} pixels"
            message = f"the image has {size}; expected at most {MOST_PIXELS:,} of them"
            raise RequestError("body_too_large", message, status=413, field=column.name)
        # A JPEG can be unpacked at a half, a quarter or an eighth of its size: no finer than what is kept of it.
        opened.draft(None, (2 * width, 2 * height))
        upright = ImageOps.exif_transpose(opened)
        image = _plain(upright, "L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    values = np.asarray(image, dtype=np.float32).reshape(height, width, channels) / np.float32(255)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis])


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """`image` with 8 bits a channel, laid on white."""
    if image.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 255
        image = Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, _WHITE)
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    return image.convert(mode)


def _npy_decoder(spec: ModelSpec, column: Column) -> Decoder:
    validator = Validator(spec)

    def decode(body: bytes) -> Decoded:
        array = npy_array(body)
        if array.dtype.kind != "f":
            message = f"the array holds {array.dtype}; expected float32 from 0 to 1"
            raise RequestError("wrong_type", message, field=column.name)
        if array.shape[-3:] != column.shape or array.ndim not in (3, 4):
            expected = f"expected [images, {', '.join(map(str, column.shape))}]"
            message = f"the array has the shape {list(array.shape)}; {expected}"
            raise RequestError("wrong_shape", message, field=column.name)
        return _checked(array.reshape(-1, *column.shape), validator, column)

    return decode


def _tensor_decoder(spec: ModelSpec, column: Column) -> Decoder:
    validator, size = Validator(spec), 4 * int(np.prod(column.shape))

    def decode(body: bytes) -> Decoded:
        if len(body) % size:
            layout = " × ".join(map(str, column.shape))
            message = f"the body has {len(body)} bytes; expected {size} an image: {layout} float32, little-endian"
            raise RequestError("malformed_tensor", message, field=column.name)
        return _checked(np.frombuffer(body, dtype="<f4").reshape(-1, *column.shape), validator, column)

    return decode


def _checked(images: npt.NDArray[Any], validator: Validator, column: Column) -> Decoded:
    """Images [N, C, H, W] as float32; RequestError for one with a value that is not from 0 to 1."""
    validator.count(len(images))
    good = ((images >= 0) & (images <= 1)).reshape(len(images), -1)
    if not good.all():
        row = int(np.argmin(good.all(axis=1)))
        value = shortest(images[row].ravel()[int(np.argmin(good[row]))])
        code = "out_of_range" if np.isfinite(value) else "not_finite"
        raise RequestError(code, f"expected values from 0 to 1, got {spelt(value)}", row=row, field=column.name)
    return len(images), np.ascontiguousarray(images, dtype=np.float32)
