from collections.abc import Callable

import numpy as np
import pytest

from serving.core.artefact import ArtefactError
from serving.core.errors import PredictionError
from serving.core.session import Session


def test_rows_in_answers_out(make_graph: Callable[..., bytes]) -> None:
    session = Session(make_graph(np.array([1.0, 2.0], dtype=np.float32), 0.5), row_shape=(2,))
    answer = session.predict(np.array([[1, 1], [2, 0]], dtype=np.float32))
    assert answer.tolist() == [3.5, 2.5]


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(ArtefactError, match="ONNX Runtime cannot load it"):
        Session(b"not a graph", row_shape=(7,))


def test_a_graph_of_other_features_is_refused(make_graph: Callable[..., bytes]) -> None:
    with pytest.raises(ArtefactError, match=r"expected 'features' float32 \[N, 8\]"):
        Session(make_graph(), row_shape=(8,))


def test_an_answer_that_is_not_finite_never_leaves(make_graph: Callable[..., bytes]) -> None:
    session = Session(make_graph(np.array([3e38], dtype=np.float32)), row_shape=(1,))
    with pytest.raises(PredictionError, match="row 1 is not a finite number"):
        session.predict(np.array([[1], [10]], dtype=np.float32))
