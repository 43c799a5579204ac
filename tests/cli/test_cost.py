import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from cli.cost import cost
from cli.report import report

runner = CliRunner()
app = typer.Typer()
app.command("cost")(cost)
app.command("report")(report)


def written(folder: Path, name: str, *types: str) -> str:
    """A preview that makes one resource of each type."""
    steps: list[dict[str, Any]] = [
        {
            "op": "create",
            "urn": f"urn:pulumi:dev::drivetrain::{type_}::{type_.rsplit(':', 1)[1].lower()}",
            "newState": {"type": type_, "custom": True, "inputs": {"region": "eu-west-1"}},
        }
        for type_ in types
    ]
    file = folder / name
    file.write_text(json.dumps({"steps": steps, "changeSummary": {"create": len(steps)}}))
    return str(file)


def test_the_cost_and_its_difference_come_from_a_file(tmp_path: Path) -> None:
    dashboards = written(tmp_path, "new.json", "pulumi:providers:aws", "aws:cloudwatch/dashboard:Dashboard")
    told = runner.invoke(app, ["cost", "dev", "--preview", dashboards]).stdout
    assert "dev in eu-west-1: US dollars a month of 730 hours, before tax" in told
    assert "difference to what is there now: +3.00 to +3.00 a month" in told
    same = runner.invoke(app, ["cost", "dev", "--preview", dashboards, "--against", dashboards, "--json"]).stdout
    document = json.loads(same)
    assert document["per_month"] == {"least": 3.0, "most": 3.0}
    assert document["difference_per_month"] == {"least": 0.0, "most": 0.0}


def test_what_each_use_costs_is_said_beside_the_sum(tmp_path: Path) -> None:
    endpoint = "urn:pulumi:dev::drivetrain::drivetrain:model:Endpoint::auto-mpg"
    type_ = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    inputs = {
        "productionVariants": [{"serverlessConfig": {"memorySizeInMb": 2048}}],
        "asyncInferenceConfig": {"outputConfig": {}},
    }
    document = json.loads(Path(written(tmp_path, "p.json", "pulumi:providers:aws", "aws:sns/topic:Topic")).read_text())
    state = {"type": type_, "custom": True, "inputs": inputs, "parent": endpoint}
    document["steps"].append({"op": "create", "urn": f"urn:pulumi:dev::drivetrain::{type_}::mpg", "newState": state})
    (tmp_path / "p.json").write_text(json.dumps(document))
    told = " ".join(runner.invoke(app, ["cost", "dev", "--preview", str(tmp_path / "p.json")]).stdout.split())
    assert "on demand, in no sum: 0.128 an hour of a transform job (sagemaker.transform.ml.m5.large): mpg" in told
    assert "on demand, in no sum: 10 a million asynchronous requests (s3.write): mpg" in told
    assert (
        "on demand, in no sum: 0.8 a million asynchronous requests at least: each look for an answer that is not there "
        "yet is another read (s3.read): mpg"
    ) in told
    assert "on demand, in no sum: 0.5 a million messages published (sns.publish): topic" in told
    comment = runner.invoke(app, ["report", "dev", "--preview", str(tmp_path / "p.json")]).stdout
    uses = [line for line in comment.partition("On demand, in no sum")[2].splitlines() if line.startswith("- ")]
    assert len(uses) == told.count("on demand, in no sum: ") == 4, "a pull request's comment says the same"
    assert all(f"on demand, in no sum: {use.removeprefix('- ')}" in told for use in uses)


def test_hours_are_said_where_there_are_some(tmp_path: Path) -> None:
    file = written(tmp_path, "p.json", "aws:cloudwatch/dashboard:Dashboard")
    told = runner.invoke(app, ["cost", "staging", "--preview", file]).stdout
    assert "its endpoints run 65 of the week's 168 hours (endpoint.hours)" in told
    assert "endpoint.hours" not in runner.invoke(app, ["cost", "dev", "--preview", file]).stdout


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    told = runner.invoke(app, ["cost", "dev", "--preview", written(tmp_path, "p.json", "aws:rds/cluster:Cluster")])
    assert "unknown: aws:rds/cluster:Cluster: not in the price table" in told.stdout


def test_a_report_tells_of_no_unknown_price_that_the_sum_would_not_hold(tmp_path: Path) -> None:
    type_ = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    inputs = {
        "region": "eu-west-9",
        "productionVariants": [{"instanceType": "ml.p9.large", "initialInstanceCount": 1}],
        "asyncInferenceConfig": {"outputConfig": {}},
    }
    state = {"type": type_, "custom": True, "inputs": inputs}
    step = {"op": "create", "urn": f"urn:pulumi:dev::drivetrain::{type_}::mpg", "newState": state}
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"steps": [step], "changeSummary": {"create": 1}}))
    told = runner.invoke(app, ["report", "dev", "--preview", str(file)]).stdout
    assert [line for line in told.splitlines() if "unknown:" in line] == [
        "- unknown: mpg: sagemaker.hosting.ml.p9.large in an unknown region is not in the price table"
    ]
    assert "unknown: mpg: s3.read" in runner.invoke(app, ["cost", "dev", "--preview", str(file)]).stdout


def test_a_report_is_written_before_the_gate_fails_it(tmp_path: Path) -> None:
    passing = written(tmp_path, "p.json", "aws:cloudwatch/dashboard:Dashboard")
    out = tmp_path / "dev.md"
    assert runner.invoke(app, ["report", "dev", "--preview", passing, "--out", str(out)]).exit_code == 0
    assert out.read_text().startswith("### dev: 1 made\n\n**The gate lets it pass.**")
    stopped = written(tmp_path, "s.json", "aws:s3/bucket:Bucket")
    assert runner.invoke(app, ["report", "dev", "--preview", stopped, "--out", str(out)]).exit_code == 1
    assert "**The gate stops it.**" in out.read_text()
    assert "### dev: 1 made" in runner.invoke(app, ["report", "dev", "--preview", passing]).stdout
