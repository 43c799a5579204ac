"""Append what a table does not have yet: one commit, checked again whenever another writer came first.

Iceberg commits by swapping the table's metadata pointer, which Glue refuses (optimistic locking by VersionId) when the
table changed since it was read. The rows are then chosen anew against the table as it is now. The data file of the
attempt that lost stays behind unreferenced inside the table's location, for Glue's orphan-file optimizer.
"""

import logging
import random
import time
from collections.abc import Callable

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from lake.errors import LakeBusyError

ATTEMPTS = 20
"""With n writers at once the last needs at most n attempts: each round one of them gets through."""
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 2.0
_log = logging.getLogger(__name__)


def append_missing(table: Table, choose: Callable[[Table], pa.Table], *, attempts: int = ATTEMPTS) -> Table:
    """Append the rows that `choose` returns for the table as it is now; nothing is committed when there are none.

    `choose` may be called several times and must depend on nothing but the table. Returns the table with the commit.
    LakeBusyError when `attempts` commits in a row lost against other writers.
    """
    for attempt in range(attempts):
        rows = choose(table)
        if not rows.num_rows:
            return table
        try:
            table.append(rows)
        except CommitFailedException as conflict:
            _log.info("%s changed while %d rows were being added: %s", table.name(), rows.num_rows, conflict)
            wait = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
            time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads writers, guards nothing
            table.refresh()
        else:
            return table
    raise LakeBusyError(
        f"other writers changed {'.'.join(table.name())} "
        f"during each of {attempts} attempts; nothing was lost, run again"
    )
