"""Where the bench keeps what it makes: everything lies under `.tools/bench`, which git ignores."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = Path(__file__).resolve().parent
PEERS: Final = SOURCES / "peers"
KEPT: Final = ROOT / ".tools" / "bench"
LOAD_GENERATOR: Final = KEPT / "bin" / "open_loop"
