import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from serving.__main__ import main


@pytest.mark.parametrize("arguments", [[], ["train"], ["serve", "extra"]])
def test_a_wrong_command_line_says_what_is_right(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments, {}) == 2
    assert "python -m serving serve | ping | status | swap" in capsys.readouterr().err


def test_a_wrong_variable_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"], {"SAGEMAKER_BIND_TO_PORT": "x"}) == 1
    assert capsys.readouterr().err.startswith("serving: SAGEMAKER_BIND_TO_PORT is 'x'")


@pytest.fixture(params=[200, 503])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """The port of a server that answers everything with one status, and that status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], request.param
        server.shutdown()
        thread.join()


def test_ping_tells_the_health_check(answering: tuple[int, int]) -> None:
    port, status = answering
    assert main(["ping"], {"SAGEMAKER_BIND_TO_PORT": str(port)}) == (0 if status == 200 else 1)


def test_ping_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    # Port 1 is nobody's.
    assert main(["ping"], {"SAGEMAKER_BIND_TO_PORT": "1"}) == 1
    assert "no answer on 127.0.0.1, port 1" in capsys.readouterr().err


def test_ping_asks_where_the_server_listens_and_reads_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"SERVING_HOST": "127.0.0.2", "SAGEMAKER_BIND_TO_PORT": "1", "SERVING_VARIANTS": "/nowhere.json"}
    assert main(["ping"], environ) == 1
    assert "no answer on 127.0.0.2, port 1" in capsys.readouterr().err


def test_ping_of_something_else_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail\r\n")
                connection.recv(1000)

        thread = threading.Thread(target=speak)
        thread.start()
        assert main(["ping"], {"SAGEMAKER_BIND_TO_PORT": str(listener.getsockname()[1])}) == 1
        thread.join()
    (line,) = capsys.readouterr().err.splitlines()
    assert "no answer on 127.0.0.1" in line
