"""A record as properties of its test case in a JUnit file."""

from pytest_whq.model import METRICS, Record
from pytest_whq.rendering.words import budget_phrase

PREFIX = "whq."
"""What the names of all properties begin with."""


def properties(record: Record, source: str | None) -> list[tuple[str, str]]:
    """Names and values: each metric that stands, how it was measured, and the verdicts."""
    measurement, comparison = record.measurement, record.comparison
    found = [
        (metric, repr(value))
        for metric in METRICS
        if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
    ]
    found += [("source", source or ""), ("method", measurement.method or "")]
    found += [("valid", str(measurement.valid).lower())]
    found += [("reasons", " ".join(reason.code for reason in measurement.reasons))]
    found += [("budget", budget_phrase(record.budgets))]
    if comparison is not None:
        told = {"baseline": comparison.baseline, "change": comparison.change}
        found += [("comparison", comparison.outcome)]
        found += [(name, repr(value)) for name, value in told.items() if value is not None]
    return [(f"{PREFIX}{name}", value) for name, value in found if value]
