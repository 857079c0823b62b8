"""A record as properties of its test case in a JUnit file, one value to each."""

from collections.abc import Iterator

from pytest_whq.model import METRICS, BudgetVerdict, Comparison, Measurement, Record
from pytest_whq.rendering.words import tightest_budget

PREFIX = "whq."
"""What the names of all properties begin with."""

_Value = str | float | bool | None


def properties(record: Record, source: str | None) -> list[tuple[str, str]]:
    """Names and values: each metric that stands, how it was measured, and the verdicts."""
    named = [*_figures(record.measurement), *_provenance(record.measurement, source)]
    for metric in METRICS:
        of_metric = [verdict for verdict in record.budgets if verdict.metric == metric]
        if (verdict := tightest_budget(of_metric)) is not None:
            named += _budget(verdict)
    if record.comparison is not None:
        named += _comparison(record.comparison)
    return [(f"{PREFIX}{name}", text) for name, value in named if (text := _text(value))]


def _figures(measurement: Measurement) -> Iterator[tuple[str, _Value]]:
    for metric in METRICS:
        if measurement.why_invalid(metric) is not None:
            continue
        yield metric, measurement.metric(metric)
        if (interval := measurement.interval95.get(metric)) is not None:
            yield from ((f"{metric}.low95", interval[0]), (f"{metric}.high95", interval[1]))


def _provenance(measurement: Measurement, source: str | None) -> Iterator[tuple[str, _Value]]:
    yield from (("source", source), ("method", measurement.method))
    yield from (("valid", measurement.valid), ("estimated", measurement.has("estimated")))
    yield "reasons", " ".join(reason.code for reason in measurement.reasons)
    yield from (("queries", measurement.queries), ("failed_queries", measurement.failed_queries))


def _budget(verdict: BudgetVerdict) -> Iterator[tuple[str, _Value]]:
    yield f"budget.{verdict.metric}", verdict.outcome
    yield f"budget.{verdict.metric}.limit", verdict.limit


def _comparison(comparison: Comparison) -> Iterator[tuple[str, _Value]]:
    low, high = comparison.interval95 or (None, None)
    yield from (("comparison", comparison.outcome), ("comparison.metric", comparison.metric))
    yield from (("baseline", comparison.baseline), ("change", comparison.change))
    yield from (("change.low95", low), ("change.high95", high), ("change.limit", comparison.limit))


def _text(value: _Value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
