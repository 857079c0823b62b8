"""Why a figure does not stand, or stands with a warning."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_whq.errors import ReasonCode
from pytest_whq.model.metrics import METRICS

_OF_QUERIES = frozenset(name for name, metric in METRICS.items() if metric.per == "query")
_OF_TOKENS = frozenset(name for name, metric in METRICS.items() if metric.counts_tokens)

REASONS: Mapping[ReasonCode, frozenset[str]] = {
    "no_source": frozenset(METRICS),
    "source_error": frozenset(METRICS),
    "counter_reset": frozenset(METRICS),
    "counter_stuck": frozenset(METRICS),
    "sensors_disagree": frozenset(METRICS),
    "window_too_short": frozenset(METRICS),
    "sample_gap": frozenset(METRICS),
    "mig": frozenset(METRICS),
    "device_busy": frozenset(METRICS),
    "device_idle": frozenset(METRICS),
    "cached_input": frozenset(METRICS),
    "failed_queries": frozenset(METRICS),
    "no_queries": _OF_QUERIES,
    "tokens_missing": _OF_TOKENS,
    "imprecise": frozenset(),
    "throttled": frozenset(),
    "shared_device": frozenset(),
    "unclaimed": frozenset(),
    "foreign_queries": frozenset(),
    "server_silent": frozenset(),
    "thermal_drift": frozenset(),
    "estimated": frozenset(),
    "modelled": frozenset(),
}
"""Reason code -> the metrics that it invalidates; a code that invalidates none is a warning."""


NO_INTERVAL = "the 95 % interval is unknown"
"""How the sentence of ``imprecise`` begins where there were too few rounds to tell how far they scatter."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record is not valid, or valid only with a warning: a code of `REASONS` and one sentence."""

    code: ReasonCode
    sentence: str


ESTIMATED = Reason("estimated", "no sensor was read: the energy is modelled from CPU time")
ESTIMATED_BY_TOOL = Reason("estimated", "a part of the energy is estimated by the tool")
"""Of an imported record."""


def failures(queries: int | None, failed_queries: int | None) -> Reason | None:
    """Why a figure per query does not stand beside failed ones; None where none failed, or nobody knows."""
    if not failed_queries:
        return None
    total = "an unknown number of" if queries is None else queries + failed_queries
    return Reason("failed_queries", f"{failed_queries} of {total} queries failed")
