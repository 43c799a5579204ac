"""A car as pydantic checks it: unknown fields, types, ranges, categories, and no NaN or Infinity."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Car(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    cylinders: Annotated[int, Field(ge=2, le=16)]
    displacement: Annotated[float, Field(ge=30, le=800)]
    horsepower: Annotated[float, Field(ge=20, le=500)] | None
    weight: Annotated[int, Field(ge=1000, le=8000)]
    acceleration: Annotated[float, Field(ge=3, le=40)]
    model_year: Annotated[int, Field(ge=1970, le=1990)]
    origin: Literal["USA", "Europe", "Japan"]


class Predictions(BaseModel):
    predictions: list[float]
