"""BlackSheep with msgspec on uvicorn."""

import os

import msgspec
import uvicorn
from blacksheep import Application, Content, Request, Response, post
from cars.by_msgspec import decode, encode
from cars.model import load, matrix

app = Application()
predict = load()


@post("/invocations")
async def invocations(request: Request) -> Response:
    try:
        cars = decode(await request.read())
    except msgspec.DecodeError as error:
        return Response(400, content=Content(b"application/json", encode({"error": str(error)})))
    body = encode({"predictions": predict(matrix(cars)).tolist()})
    return Response(200, content=Content(b"application/json", body))


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["BENCH_PORT"]), loop="uvloop", http="httptools", access_log=False)
