"""A process that was ended is gone, and one that nobody waited for yet is gone as well."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from rehearsal.aws.processes import end_groups, group_alive, start_time

pytestmark = pytest.mark.slow
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(300)"


@pytest.fixture
def deaf() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own that does not listen to SIGTERM."""
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_does_not_listen_is_gone_once_it_was_ended(deaf: subprocess.Popen[bytes]) -> None:
    assert group_alive(deaf.pid)
    end_groups([deaf.pid], grace_s=0.1)
    assert (group_alive(deaf.pid), start_time(deaf.pid)) == (False, None)
    assert deaf.wait() == -9
