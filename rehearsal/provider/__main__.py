"""`python -m rehearsal.provider`: serve the provider over gRPC until stopped, as a plugin of Pulumi does.

The first line on standard output is the port; the endpoint, region and credentials come from the environment.
"""

import argparse
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from rehearsal.provider.server import AwsProvider

WORKERS = 16
MAX_MESSAGE = 400 * 1024 * 1024
"""Bytes; the limit of Pulumi's own SDKs and engine (`_MAX_RPC_MESSAGE_SIZE`)."""


def main(arguments: list[str]) -> int:
    """Serve; the engine's address, which a plugin is started with, is taken and not needed."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.provider", description=__doc__)
    parser.add_argument("engine", nargs="?", default="", help="address of the engine (not used)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one by default")
    options, _ = parser.parse_known_args(arguments)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=WORKERS),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(dict(os.environ)), server)
    port = server.add_insecure_port(f"127.0.0.1:{options.port}")
    server.start()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  what a signal handler is called with
        server.stop(grace=5)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print(port, flush=True)  # what the engine reads
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
