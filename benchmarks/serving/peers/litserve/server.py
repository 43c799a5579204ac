"""LitServe: its server process and one worker process, with its faster queue between them.

Its batching (max_batch_size) was slower with this model at every load.
"""

import os

import litserve
from cars.by_pydantic import Car, Predictions
from cars.model import load, matrix
from fastapi import HTTPException
from pydantic import TypeAdapter, ValidationError

CARS = TypeAdapter(list[Car])


class Cars(litserve.LitAPI):
    def setup(self, device):
        self.model = load()

    def decode_request(self, request):
        try:
            return CARS.validate_python(request)
        except ValidationError as error:
            raise HTTPException(400, str(error)) from error

    def predict(self, cars):
        return self.model(matrix(cars))

    def encode_response(self, output):
        return Predictions(predictions=output.tolist())


if __name__ == "__main__":
    server = litserve.LitServer(Cars(api_path="/invocations"), fast_queue=True, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="error",
        access_log=False,
        generate_client_file=False,
    )
