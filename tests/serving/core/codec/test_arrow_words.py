import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.core.codec.arrow_words import UNKNOWN, Categories

WORDS = st.sampled_from(["USA", "Europe", "Japan", "Jamaica", "Jap", "", "é", "Uganda", "x" * 300])


def looked_up(categories: Categories, words: list[bytes]) -> list[float] | None:
    text = np.frombuffer(b"".join(words) + b"\0", dtype=np.uint8)
    places = categories.places(text, np.cumsum([0, *(len(word) for word in words)]))
    return None if places is None else places.tolist()


@settings(deadline=None)
@given(names=st.lists(WORDS, min_size=1, unique=True), words=st.lists(WORDS | st.text(max_size=4), min_size=1))
def test_a_whole_column_is_as_its_words_one_by_one(names: list[str], words: list[str]) -> None:
    categories = Categories(names)
    alone = [categories.place(word.encode()) for word in words]
    assert alone == [float(names.index(word)) if word in names else UNKNOWN for word in words]
    assert looked_up(categories, [word.encode() for word in words]) in (None, alone)


def test_known_words_are_found_at_once_and_others_are_not() -> None:
    categories = Categories(["USA", "Europe", "Japan"])
    assert looked_up(categories, [b"Japan", b"USA", b"Europe", b"USA"]) == [2, 0, 1, 0]
    assert looked_up(categories, [b"Japan", b"UXA"]) is None
    assert looked_up(categories, [b"Japan", b"Texas"]) is None
    assert looked_up(categories, [b"Japan", b""]) is None
    assert looked_up(Categories(["class1", "class2"]), [b"class1"]) is None
