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


@pytest.mark.parametrize("threads", [1, 3])
def test_a_run_uses_the_threads_it_is_given(make_graph: Callable[..., bytes], threads: int) -> None:
    session = Session(make_graph(), row_shape=(7,), threads=threads)
    options = session._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)


def test_of_a_failed_run_nothing_can_be_said(make_graph: Callable[..., bytes]) -> None:
    session = Session(make_graph(), row_shape=(7,))
    with pytest.raises(PredictionError, match="the model failed on 2 rows"):
        session.run(np.zeros((2, 3), dtype=np.float32))
    assert np.isnan(session.nothing(2)).tolist() == [True, True]
