"""An update moves traffic as its deployment says, and an alarm takes it back; nobody's request fails meanwhile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws import archives

pytestmark = pytest.mark.slow
RATE = 100.0
"""A declared minute passes in 0.6 s, the bake of five minutes in 3 s."""
SLOW_S, TOO_SLOW_S = 1.5, 1.0
"""How long release `slow` takes, and what the alarm calls slow: more than a quick one takes on a busy machine."""
SOURCE = """
import http.server, json, os, pathlib, time
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
pause = float((model / "pause.txt").read_text())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(pause)
        self.answer(json.dumps(os.environ["RELEASE"]).encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
address = os.environ["SERVING_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


def canary(baking_s: int) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": 50}
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": baking_s, "CanarySize": size}
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "slow"}]},
    }


class Stream:
    """Requests one after the other from several callers, each answer kept with the moment at which it was asked for."""

    def __init__(self, account: Any) -> None:
        self._clients = [account.client("sagemaker-runtime") for _ in range(3)]
        self._ending = threading.Event()
        self.answers: list[tuple[float, str]] = []
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, args=(client,)) for client in self._clients]

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def to_questions_since(self, moment: float) -> list[str]:
        """The answers to what was asked after that moment."""
        return [answer for asked, answer in self.answers if asked >= moment]

    def _run(self, client: Any) -> None:
        while not self._ending.wait(0.02):
            asked = time.monotonic()
            try:
                answer = client.invoke_endpoint(EndpointName="cars", Body=b"{}", ContentType="application/json")
                self.answers.append((asked, json.loads(answer["Body"].read())))
            except Exception as error:
                self.failures.append(error)


@pytest.fixture
def cars(account: Any, tmp_path: Path, eventually: Callable[..., Any]) -> Iterator[Any]:
    """The endpoint `cars` of release one, its alarm, and a release two to follow; slow and quick ones."""
    account.rehearsal.set_clock_rate(RATE)
    image, bucket, sagemaker = account.image(tmp_path, SOURCE), account.bucket(), account.client("sagemaker")
    for name, pause in (("one", 0.0), ("slow", SLOW_S), ("two", 0.0)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pause.txt").write_text(str(pause))
        packed = archives.pack(folder, [Path("pause.txt")])
        account.client("s3").put_object(Bucket=bucket, Key=f"{name}/model.tar.gz", Body=packed)
        container = {"Image": image, "ModelDataUrl": f"s3://{bucket}/{name}/model.tar.gz"}
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=account.role("endpoint"),
            PrimaryContainer={**container, "Environment": {"RELEASE": name}},
        )
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 4}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="slow",
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": "cars"}, {"Name": "VariantName", "Value": "main"}],
        ExtendedStatistic="p99",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        Threshold=TOO_SLOW_S * 1e6,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="one")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="cars", WaiterConfig={"Delay": 1})
    yield sagemaker
    account.rehearsal.set_clock_rate(60.0)


def update(sagemaker: Any, name: str, how: dict[str, Any]) -> dict[str, Any]:
    """UpdateEndpoint, and the endpoint once it is InService again."""
    sagemaker.update_endpoint(EndpointName="cars", EndpointConfigName=name, DeploymentConfig=how)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = sagemaker.describe_endpoint(EndpointName="cars")
        if found["EndpointStatus"] == "InService":
            return found
        assert found["PendingDeploymentSummary"]["EndpointConfigName"] == name
        time.sleep(0.1)
    raise AssertionError("the endpoint never settled")


def test_a_slow_canary_is_taken_back_without_a_word_and_the_next_release_goes_through(
    account: Any, cars: Any, eventually: Callable[..., Any]
) -> None:
    with Stream(account) as stream:
        found = update(cars, "slow", canary(3600))
        assert (found["EndpointConfigName"], found.get("FailureReason")) == ("one", None)
        assert "PendingDeploymentSummary" not in found
        taken_back = time.monotonic()
        # The canary answered some, which may just be under way, and the old fleet the others.
        eventually(lambda: set(stream.to_questions_since(0)) == {"one", "slow"})
        cloudwatch = account.client("cloudwatch")
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["slow"])["MetricAlarms"]
        history = cloudwatch.describe_alarm_history(AlarmName="slow", HistoryItemType="StateUpdate")
        first = history["AlarmHistoryItems"][-1]
        assert first["HistorySummary"] == "Alarm updated from OK to ALARM"
        assert "greater than the threshold (1e+06)" in json.loads(first["HistoryData"])["newState"]["stateReason"]
        wait_until_ok(cloudwatch, alarm)
        found = update(cars, "two", canary(300))
        assert found["EndpointConfigName"] == "two"
        settled = time.monotonic()
        eventually(lambda: len(stream.to_questions_since(settled)) >= 5)
    assert stream.failures == []
    assert set(stream.to_questions_since(settled)) == {"two"}
    assert "slow" not in stream.to_questions_since(taken_back)


def wait_until_ok(cloudwatch: Any, alarm: dict[str, Any]) -> None:
    """An alarm that still stands would roll the next update back as well, as on AWS."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
        if alarm["StateValue"] == "OK":
            return
        time.sleep(0.1)
    raise AssertionError(f"{alarm['AlarmName']} stayed in {alarm['StateValue']}")


def test_endpoint_metrics_are_read_back_with_percentiles_and_math(account: Any, cars: Any) -> None:
    runtime, cloudwatch = account.client("sagemaker-runtime"), account.client("cloudwatch")
    longest_s = 0.0
    for _ in range(5):
        asked = time.monotonic()
        runtime.invoke_endpoint(EndpointName="cars", Body=b"{}", ContentType="application/json")
        longest_s = max(longest_s, time.monotonic() - asked)
    dimensions = [{"Name": "EndpointName", "Value": "cars"}, {"Name": "VariantName", "Value": "main"}]

    def query(key: str, name: str, stat: str) -> dict[str, Any]:
        metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}
        return {"Id": key, "MetricStat": {"Metric": metric, "Period": 300, "Stat": stat}, "ReturnData": key == "p"}

    now = time.time()
    queries = [
        query("p", "ModelLatency", "p99"),
        query("calls", "Invocations", "Sum"),
        query("failed", "Invocation5XXErrors", "Sum"),
        {"Id": "rate", "Expression": "IF(calls > 4, FILL(failed, 0) / calls, 0)"},
    ]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=now - 200, EndTime=now + 60)
    found = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    assert found["rate"] == [0.0]
    assert 0 < found["p"][0] < longest_s * 1e6, "microseconds of the model, which the caller waited for and more"


def test_instances_can_be_set_and_are_shown_until_the_next_configuration(cars: Any) -> None:
    wanted = [{"VariantName": "main", "DesiredInstanceCount": 7}]
    cars.update_endpoint_weights_and_capacities(EndpointName="cars", DesiredWeightsAndCapacities=wanted)
    (variant,) = cars.describe_endpoint(EndpointName="cars")["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == 7
    (variant,) = update(cars, "two", {})["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == 4
