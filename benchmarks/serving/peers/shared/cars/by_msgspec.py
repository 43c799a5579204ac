"""A car as msgspec checks it while it parses: unknown fields, types, ranges, categories (its JSON has no NaN)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Car(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    cylinders: Annotated[int, Meta(ge=2, le=16)]
    displacement: Annotated[float, Meta(ge=30, le=800)]
    horsepower: Annotated[float, Meta(ge=20, le=500)] | None
    weight: Annotated[int, Meta(ge=1000, le=8000)]
    acceleration: Annotated[float, Meta(ge=3, le=40)]
    model_year: Annotated[int, Meta(ge=1970, le=1990)]
    origin: Literal["USA", "Europe", "Japan"]


decode = msgspec.json.Decoder(list[Car]).decode
encode = msgspec.json.Encoder().encode
