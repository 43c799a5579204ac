from pathlib import Path

import pytest

from serving.container import EnvironmentVariableError, read_container


def test_an_empty_environment_is_sagemakers_container() -> None:
    container = read_container({})
    assert container.model_dir == Path("/opt/ml/model")
    assert (container.host, container.port, container.manifest_sha256, container.release) == (
        "0.0.0.0",
        8080,
        None,
        "",
    )


def test_every_variable_is_read() -> None:
    container = read_container(
        {
            "SAGEMAKER_BASE_DIR": "/base",
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "SERVING_HOST": "127.0.0.1",
            "MODEL_MANIFEST_SHA256": "AB" * 32,
            "RELEASE": "a/3",
        }
    )
    assert container.model_dir == Path("/base/model")
    assert (container.host, container.port) == ("127.0.0.1", 9000)
    assert container.manifest_sha256 == "ab" * 32
    assert container.release == "a/3"


def test_the_process_group_is_told_by_variables(tmp_path: Path) -> None:
    (tmp_path / "variants.json").write_text('{"variants": [{"name": "blue", "folder": "/models/3"}]}')
    container = read_container(
        {
            "SERVING_WORKERS": "3",
            "SERVING_THREADS": "2",
            "SERVING_FRONT": "asgi",
            "SERVING_QUEUE": "100",
            "SERVING_DEADLINE_MS": "1500",
            "SERVING_BUSY_POLL_US": "0",
            "SERVING_CONTROL_SOCKET": "/run/serving.sock",
            "SERVING_WATCH": "/models",
            "SERVING_VARIANTS": str(tmp_path / "variants.json"),
        }
    )
    assert (container.workers, container.threads, container.front) == (3, 2, "asgi")
    assert (container.queue, container.deadline_seconds) == (100, 1.5)
    assert (container.busy_poll_seconds, read_container({}).busy_poll_seconds) == (0, 100e-6)
    assert (container.control_socket, container.watch) == (Path("/run/serving.sock"), Path("/models"))
    assert container.places.default.name == "blue"


def test_without_variants_there_is_the_one_model() -> None:
    container = read_container({"MODEL_MANIFEST_SHA256": "ab" * 32, "RELEASE": "a/3"})
    (place,) = container.places.models
    assert (place.folder, place.manifest_sha256, place.release) == ("/opt/ml/model", "ab" * 32, "a/3")


@pytest.mark.parametrize("other", ["SERVING_WATCH", "SERVING_VARIANTS"])
def test_a_pinned_manifest_is_not_ignored_where_other_models_are_named(other: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=f"MODEL_MANIFEST_SHA256 pins one model, and {other} names"):
        read_container({"MODEL_MANIFEST_SHA256": "ab" * 32, other: "/models"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SERVING_WORKERS", "0"),
        ("SERVING_WORKERS", "many"),
        ("SERVING_THREADS", "1.5"),
        ("SERVING_FRONT", "flask"),
        ("SERVING_QUEUE", "-1"),
        ("SERVING_DEADLINE_MS", "soon"),
        ("SERVING_BUSY_POLL_US", "-1"),
        ("SERVING_VARIANTS", "/nowhere.json"),
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "0"),
        ("SAGEMAKER_BIND_TO_PORT", "70000"),
        ("SAGEMAKER_BIND_TO_PORT", "²"),
        ("MODEL_MANIFEST_SHA256", "abc"),
        ("MODEL_MANIFEST_SHA256", "z" * 64),
    ],
)
def test_a_value_that_cannot_be_is_named(variable: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=variable):
        read_container({variable: value})


def test_by_default_refusals_are_logged_and_nothing_is_kept() -> None:
    observation = read_container({}).observation
    assert (observation.access_log, observation.log_level) == ("refused", "info")
    assert (observation.capture_dir, observation.capture_percent, observation.otlp_endpoint) == (None, None, "")


def test_logs_traces_and_captures_are_settings() -> None:
    observation = read_container(
        {
            "SERVING_LOG_LEVEL": "Warning",
            "SERVING_ACCESS_LOG": "all",
            "SERVING_SLOW_MS": "20",
            "SERVING_CAPTURE_DIR": "/capture",
            "SERVING_CAPTURE_PERCENT": "12.5",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
        }
    ).observation
    assert (observation.log_level, observation.access_log, observation.slow_seconds) == ("warning", "all", 0.02)
    assert (observation.capture_dir, observation.capture_percent) == (Path("/capture"), 12.5)
    assert (observation.otlp_endpoint, observation.trace_ratio) == ("http://collector:4318", 0.1)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SERVING_LOG_LEVEL", "loud", "expected debug, info, warning, error"),
        ("SERVING_ACCESS_LOG", "some", "expected refused, all, off"),
        ("SERVING_SLOW_MS", "soon", "expected a number from 0"),
        ("SERVING_CAPTURE_PERCENT", "101", "expected a number from 0 to 100"),
        ("SERVING_CAPTURE_PERCENT", "nan", "expected a number from 0 to 100"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "expected a number from 0 to 1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "begins with http:// or https://"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=f"{name} is '{value}'.*{expected}"):
        read_container({name: value})


def test_a_wrong_address_is_told_without_its_password() -> None:
    with pytest.raises(EnvironmentVariableError, match="OTEL_EXPORTER_OTLP_ENDPOINT is 'host/v1'") as refused:
        read_container({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://me:secret@host/v1?token=hidden"})
    assert "secret" not in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "3"}, None),
        ({"SAGEMAKER_BATCH": "true"}, 6 * 2**20),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "3"}, 3 * 2**20),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, 100 * 2**20),
    ],
)
def test_the_container_of_a_transform_job_is_told_how_large_a_request_is(
    environ: dict[str, str], found: int | None
) -> None:
    assert read_container(environ).batch_bytes == found


def test_a_payload_that_sagemaker_never_sends_is_refused() -> None:
    environ = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "101"}
    with pytest.raises(EnvironmentVariableError, match=r"SAGEMAKER_MAX_PAYLOAD_IN_MB is '101'; .* up to 100"):
        read_container(environ)
