"""Starlette with msgspec on uvicorn."""

import os

import msgspec
import uvicorn
from cars.by_msgspec import decode, encode
from cars.model import load, matrix
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

predict = load()


async def invocations(request: Request) -> Response:
    try:
        cars = decode(await request.body())
    except msgspec.DecodeError as error:
        return Response(encode({"error": str(error)}), 400, media_type="application/json")
    return Response(encode({"predictions": predict(matrix(cars)).tolist()}), media_type="application/json")


app = Starlette(routes=[Route("/invocations", invocations, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["BENCH_PORT"]), loop="uvloop", http="httptools", access_log=False)
