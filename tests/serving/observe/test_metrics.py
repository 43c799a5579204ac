from serving.observe.metrics import Metrics


def test_counters_are_labelled_text() -> None:
    metrics = Metrics()
    metrics.answered(rows=3, seconds=0.5)
    metrics.refused(400, "wrong_type")
    text = metrics.text("auto-mpg", 'a"b')
    assert 'serving_requests_total{model="auto-mpg",release="a\\"b",status="200"} 1\n' in text
    assert 'status="400"} 1\n' in text
    assert 'reason="wrong_type"} 1\n' in text
    assert 'serving_rows_total{model="auto-mpg",release="a\\"b"} 3\n' in text
    assert text.endswith("0.500000\n")
