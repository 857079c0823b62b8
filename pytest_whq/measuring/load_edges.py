"""How sure a load's figures are, given the queries that were under way at its window's edges. Pure."""

import math
from dataclasses import replace

from pytest_whq.model import METRICS, Measurement, Reason
from pytest_whq.model.serving import Load
from pytest_whq.units import format_percents

_MOST = 0.9
"""Where more of the work than this is not that of the queries counted, the interval says no more."""


def widened_by_edges(measurement: Measurement, load: Load, precision: float) -> Measurement:
    """``measurement`` of ``load``, its intervals per query and per token as wide as its edges leave them.

    The joules in the window are those of ``queries + edge_queries``, were all of the same work: so far the
    figure may be off, upwards further than downwards. ``precision`` is the ratio above which it counts as
    imprecise.
    """
    if not load.edge_queries or not measurement.queries or not measurement.energy_j:
        return measurement
    share = min(abs(load.edge_queries) / measurement.queries, _MOST)
    width = math.hypot(share / (1 - share), 2 * (measurement.uncertainty_j or 0.0) / measurement.energy_j)
    intervals = {
        name: (max(0.0, value * (1 - width)), value * (1 + width))
        for name, metric in METRICS.items()
        if (metric.per == "query" or metric.counts_tokens)
        and (value := measurement.metric(name)) is not None
        and value > 0
    }
    found = replace(measurement, interval95={**measurement.interval95, **intervals})
    if width <= precision or found.has("imprecise"):
        return found
    found_is, asked = format_percents(width, precision)
    sentence = f"queries under way at the edges leave ± {found_is}, wider than the ± {asked} asked for"
    return replace(found, reasons=(*found.reasons, Reason("imprecise", sentence)))
