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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
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
