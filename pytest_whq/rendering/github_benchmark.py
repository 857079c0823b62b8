"""The figures as github-action-benchmark takes them: its tool ``customSmallerIsBetter``."""

from pytest_whq.model import METRICS, Record, Run
from pytest_whq.rendering.words import one_line, run_rig_phrase, spread
from pytest_whq.storing.plain_data import json_of
from pytest_whq.units import format_percent

_SHOWN = ("wh_per_query", "j_per_output_token")


def render(run: Run) -> str:
    """An entry for each test and metric that stands; units never change, so that runs share an axis."""
    entries = [
        {
            "name": f"{one_line(record.test)} {metric}",
            "unit": METRICS[metric].unit,
            "value": value,
            **_range(record, metric),
            "extra": run_rig_phrase(run),
        }
        for record in run.records
        for metric in _SHOWN
        if (value := record.measurement.metric(metric)) is not None
        and record.measurement.why_invalid(metric) is None
    ]
    return json_of(entries, indent=1) + "\n"


def _range(record: Record, metric: str) -> dict[str, str]:
    share = spread(record.measurement) if metric == "wh_per_query" else None
    return {} if share is None else {"range": f"± {format_percent(share)}"}
