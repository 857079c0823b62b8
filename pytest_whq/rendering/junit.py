"""A record as properties of its test case in a JUnit file."""

from pytest_whq.model import METRICS, Record
from pytest_whq.rendering.words import budget_phrase

PREFIX = "whq."
"""What the names of all properties begin with."""


def properties(record: Record, source: str | None) -> list[tuple[str, str]]:
    """Names and values: each metric that stands, how it was measured, and the verdicts."""
    measurement, comparison = record.measurement, record.comparison
    named = [
        (metric, repr(value))
        for metric in METRICS
        if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
    ]
    named += [("source", source or ""), ("method", measurement.method or "")]
    named += [("valid", str(measurement.valid).lower())]
    named += [("reasons", " ".join(reason.code for reason in measurement.reasons))]
    named += [("budget", budget_phrase(record.budgets))]
    if comparison is not None:
        figures = {"baseline": comparison.baseline, "change": comparison.change}
        named += [("comparison", comparison.outcome)]
        named += [(name, repr(value)) for name, value in figures.items() if value is not None]
    return [(f"{PREFIX}{name}", value) for name, value in named if value]
