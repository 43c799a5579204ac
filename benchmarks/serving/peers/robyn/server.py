"""Robyn with msgspec: one process, one worker."""

import os

import msgspec
from cars.by_msgspec import decode, encode
from cars.model import load, matrix
from robyn import Headers, Request, Response, Robyn

app = Robyn(__file__)
predict = load()
JSON = Headers({"Content-Type": "application/json"})


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    try:
        cars = decode(request.body)
    except msgspec.DecodeError as error:
        return Response(400, JSON, encode({"error": str(error)}))
    return Response(200, JSON, encode({"predictions": predict(matrix(cars)).tolist()}))


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]))
