"""The figures in Bencher's metric format: benchmark -> measure -> value, with its bounds where known."""

import json

from pytest_whq.model import METRICS, Measurement, Run
from pytest_whq.rendering.words import one_line


def render(run: Run) -> str:
    """The metrics that stand, each by its name with ``-`` for ``_``, as a measure's slug is written."""
    found = {one_line(record.test): _measures(record.measurement) for record in run.records}
    shown = {test: measures for test, measures in found.items() if measures}
    return json.dumps(shown, indent=1).replace("##[", r"#\u0023[") + "\n"


def _measures(measurement: Measurement) -> dict[str, dict[str, float]]:
    return {
        metric.replace("_", "-"): {"value": value, **_bounds(measurement, metric)}
        for metric in METRICS
        if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
    }


def _bounds(measurement: Measurement, metric: str) -> dict[str, float]:
    bounds = measurement.interval95.get(metric)
    return {} if bounds is None else {"lower_value": bounds[0], "upper_value": bounds[1]}
