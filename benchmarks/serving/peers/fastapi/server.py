"""FastAPI with pydantic on uvicorn, as its documentation has it."""

import os

import uvicorn
from cars.by_pydantic import Car, Predictions
from cars.model import load, matrix
from fastapi import FastAPI

app = FastAPI()
predict = load()


@app.post("/invocations")
async def invocations(cars: list[Car]) -> Predictions:
    return Predictions(predictions=predict(matrix(cars)).tolist())


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["BENCH_PORT"]), loop="uvloop", http="httptools", access_log=False)
