"""BentoML: one worker; `async`, so that no thread is woken for a model of 20 microseconds."""

import bentoml
from cars.by_pydantic import Car, Predictions
from cars.model import load, matrix


@bentoml.service(workers=1)
class Cars:
    def __init__(self) -> None:
        self.predict = load()

    @bentoml.api(route="/invocations")
    async def invocations(self, cars: list[Car]) -> Predictions:
        return Predictions(predictions=self.predict(matrix(cars)).tolist())
