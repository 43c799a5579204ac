import pytest

from serving.core.errors import NotReadyError, PredictionError
from serving.core.service import Service
from serving.process.lifecycle import Lifecycle


def test_nothing_is_ready_before_it_is(service: Service) -> None:
    lifecycle = Lifecycle()
    with pytest.raises(NotReadyError, match="loading"):
        lifecycle.check()
    lifecycle.ready(service)
    lifecycle.check()
    assert lifecycle.service is service


def test_a_failure_keeps_its_reason() -> None:
    lifecycle = Lifecycle()
    lifecycle.failed("model.onnx was changed")
    with pytest.raises(NotReadyError, match=r"model\.onnx was changed"):
        _ = lifecycle.service


def test_a_model_that_stops_answering_is_not_ready(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise PredictionError("the model failed on a warm-up row")

    lifecycle = Lifecycle()
    lifecycle.ready(service)
    monkeypatch.setattr(service, "warm_up", broken)
    with pytest.raises(NotReadyError, match="warm-up row"):
        lifecycle.check()
