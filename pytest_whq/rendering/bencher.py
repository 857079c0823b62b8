"""The figures in Bencher's metric format: benchmark -> measure -> value, with its bounds where known."""

from hashlib import sha256

from pytest_whq.model import METRICS, Measurement, Run
from pytest_whq.rendering.words import one_line
from pytest_whq.storing.plain_data import json_of


def render(run: Run) -> str:
    """The metrics that stand, each by its name with ``-`` for ``_``, as a measure's slug is written."""
    found = {_name(record.test): _measures(record.measurement) for record in run.records}
    shown = {test: measures for test, measures in found.items() if measures}
    return json_of(shown, indent=1) + "\n"


_LONGEST = 1024
"""Bytes of a benchmark's name that Bencher takes."""


def _name(test: str) -> str:
    """The name of ``test``; of one that is too long the beginning, and what tells it from others."""
    name = one_line(test)
    whole = name.encode()
    if len(whole) <= _LONGEST:
        return name
    rest = f"…{sha256(whole).hexdigest()[:8]}"
    return whole[: _LONGEST - len(rest.encode())].decode(errors="ignore") + rest


def _measures(measurement: Measurement) -> dict[str, dict[str, float]]:
    return {
        metric.replace("_", "-"): {"value": value, **_bounds(measurement, metric)}
        for metric in METRICS
        if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
    }


def _bounds(measurement: Measurement, metric: str) -> dict[str, float]:
    bounds = measurement.interval95.get(metric)
    return {} if bounds is None else {"lower_value": bounds[0], "upper_value": bounds[1]}
