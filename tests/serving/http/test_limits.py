import resource
from unittest.mock import Mock

import pytest

from serving.http.limits import Limits, connections_allowed


@pytest.mark.parametrize(
    ("soft", "hard", "allowed"),
    [(1024, 1024, 896), (1024, 65_536, 20_000), (10, 10, 1), (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 20_000)],
)
def test_connections_are_bounded_by_what_may_be_opened(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int
) -> None:
    raised = Mock()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", raised)
    assert connections_allowed(Limits()) == allowed
    assert [call.args for call in raised.mock_calls] == (
        [] if soft == hard else [(resource.RLIMIT_NOFILE, (hard, hard))]
    )


def test_a_sandbox_that_forbids_it_keeps_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", Mock(side_effect=ValueError("not allowed")))
    assert connections_allowed(Limits()) == 896
