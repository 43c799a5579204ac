"""The offline AWS in a thread of this process, and stacks in accounts of their own."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.delivery.released import Stack, serving_aws

_accounts = itertools.count(600_000_000_001)


@pytest.fixture(scope="session")
def aws_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the offline AWS answers."""
    with serving_aws(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture(scope="module")
def stack_of_module(aws_address: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stack]:
    """As `stack`, for one that the tests of a file share."""
    return lambda name: Stack(name, str(next(_accounts)), aws_address, tmp_path_factory.mktemp(name))


@pytest.fixture
def stack(aws_address: str, tmp_path: Path) -> Callable[[str], Stack]:
    """`stack("dev")`: that stack, in an account that no other test has."""
    return lambda name: Stack(name, str(next(_accounts)), aws_address, tmp_path)
