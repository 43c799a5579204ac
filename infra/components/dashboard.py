"""The dashboard: one row of widgets per model, from new data to predictions, as JSON that CloudWatch draws."""

from collections.abc import Sequence
from typing import Any

from infra.names import Names
from models.spec import ModelSpec

_WIDTH, _HEIGHT = 6, 6
_ROW = _HEIGHT + 2


def dashboard_body(names: Names, specs: Sequence[ModelSpec]) -> dict[str, Any]:
    """One row of widgets per model of the stack; those of an endpoint stay empty until a release."""
    widgets: list[dict[str, Any]] = []
    for number, spec in enumerate(specs):
        top = number * _ROW
        widgets.append(_title(spec, top))
        for column, widget in enumerate(_widgets(names, spec)):
            widgets.append({**widget, "x": column * _WIDTH, "y": top + 2, "width": _WIDTH, "height": _HEIGHT})
    return {"widgets": widgets}


def _title(spec: ModelSpec, top: int) -> dict[str, Any]:
    markdown = f"## {spec.title}\n{spec.description}"
    return {"type": "text", "x": 0, "y": top, "width": 24, "height": 2, "properties": {"markdown": markdown}}


def _widgets(names: Names, spec: ModelSpec) -> list[dict[str, Any]]:
    machine = names.state_machine_arn(spec.name)
    endpoint = names.endpoint(spec.name)
    return [
        _graph(
            names,
            "Pipeline executions",
            [
                ["AWS/States", metric, "StateMachineArn", machine]
                for metric in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
            ],
            stat="Sum",
            period=3600,
        ),
        _graph(names, "Invocations per minute", [_search(endpoint, "Invocations", "Sum")]),
        _graph(
            names,
            "Errors per minute",
            [_search(endpoint, metric, "Sum") for metric in ("Invocation4XXErrors", "Invocation5XXErrors")],
        ),
        _graph(
            names,
            f"Latency of the model in µs (alarm at {spec.monitor.p99_latency_ms:g} ms)",
            [_search(endpoint, "ModelLatency", stat) for stat in ("p50", "p99")],
        ),
    ]


def _search(endpoint: str, metric: str, statistic: str) -> list[Any]:
    """The metric over all variants of the endpoint, whatever they are called."""
    found = f'{{AWS/SageMaker,EndpointName,VariantName}} MetricName="{metric}" EndpointName="{endpoint}"'
    return [{"expression": f"SEARCH('{found}', '{statistic}', 60)", "label": f"{metric} {statistic}"}]


def _graph(
    names: Names, title: str, metrics: list[list[Any]], *, stat: str = "Average", period: int = 60
) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": names.region,
        "view": "timeSeries",
        "stat": stat,
        "period": period,
        "metrics": metrics,
    }
    return {"type": "metric", "properties": properties}
