"""Texts to the places of categories, for a whole column at once.

Two categories seldom share both length and first letter, so that a table of those gives each text its only candidate;
that it is the one is then one comparison of all bytes. Where a text is none of them, or categories do share both, or a
text is empty, each text is looked up by itself.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

UNKNOWN: Final = -1.0
_LETTERS: Final = 256
_LONGEST: Final = 255


class Categories:
    """The categories of one column."""

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [name.encode() for name in names]
        self._places = {name: float(place) for place, name in enumerate(encoded)}
        self._bytes = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        lengths = [len(name) for name in encoded]
        self._begins = np.cumsum([0, *lengths])[:-1]
        self._longest = max(lengths, default=0)
        keys = [len(name) * _LETTERS + name[0] for name in encoded if name]
        self._distinct = len(set(keys)) == len(names) and self._longest <= _LONGEST
        self._candidates = np.full((min(self._longest, _LONGEST) + 1) * _LETTERS, -1)
        if self._distinct:
            self._candidates[keys] = range(len(keys))

    def place(self, word: bytes) -> float:
        """The place of one text, UNKNOWN for none of the categories."""
        return self._places.get(word, UNKNOWN)

    def places(self, text: npt.NDArray[np.uint8], offsets: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        """The places [N] of the texts between `offsets` [N + 1] of `text`; None when they have to be looked up.

        The offsets ascend and lie inside `text`.
        """
        lengths = np.diff(offsets)
        if not self._distinct or not 0 < lengths.min() <= lengths.max() <= self._longest:
            return None
        places = self._candidates[lengths * _LETTERS + text[offsets[:-1]]]
        if places.min() < 0:
            return None
        begin, end = int(offsets[0]), int(offsets[-1])
        same = np.repeat(self._begins[places] - offsets[:-1], lengths) + np.arange(begin, end)
        return places if np.array_equal(self._bytes[same], text[begin:end]) else None
