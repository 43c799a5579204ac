"""The instances that are live reach the program through a copy of the configuration; the file itself stays."""

from pathlib import Path

import yaml

from delivery.endpoints.live_instances import configuration_with, live_instances
from tests.delivery.live_sagemaker import ENDPOINT, SageMaker


def test_endpoints_with_instances_are_counted_and_others_left_out() -> None:
    sagemaker = SageMaker()
    sagemaker.add("1")
    sagemaker.serve("1", instances=3)
    assert live_instances(sagemaker, {"auto-mpg": ENDPOINT, "bikes": "no-endpoint-yet"}) == {"auto-mpg": 3}
    sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0]["DesiredInstanceCount"] = None
    assert live_instances(sagemaker, {"auto-mpg": ENDPOINT}) == {}


def test_the_copy_holds_one_key_more_and_goes_with_the_context(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("secretsprovider: awskms://x\nconfig:\n  drivetrain:settings:\n    region: eu-west-1\n")
    before = file.read_bytes()
    with configuration_with(file, {"auto-mpg": 3}) as copy:
        document = yaml.safe_load(copy.read_text())
        assert copy.name == file.name
    assert document["secretsprovider"] == "awskms://x"
    assert document["config"]["drivetrain:live-instances"] == {"auto-mpg": 3}
    assert document["config"]["drivetrain:settings"] == {"region": "eu-west-1"}
    assert file.read_bytes() == before
    assert not copy.exists()
