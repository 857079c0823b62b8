"""How long requests were, by the buckets of an engine's histograms. Pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf

from pytest_whq.importing.period.engines import Count
from pytest_whq.model.serving import Distribution


def distribution_of(buckets: Mapping[float, Count], mean: float | None) -> Distribution | None:
    """How lengths are spread: percentiles are the upper edges of their buckets.

    None where there are none, or some are longer than the last edge: then the longest is not known.
    """
    if mean is None or inf not in buckets or (total := round(buckets[inf].count)) < 1:
        return None
    edges = sorted(edge for edge in buckets if edge != inf)
    if not edges or round(buckets[edges[-1]].count) < total:
        return None
    percentiles = [_edge(buckets, edges, percent * total / 100) for percent in (50, 90, 99, 100)]
    return Distribution(total, mean, *percentiles)


def shares(buckets: Mapping[float, Count], tokens: float) -> list[tuple[float, float, float, float]]:
    """The classes of lengths that occurred: edges, how many requests, and their part of all ``tokens``.

    Each request is taken to be in the middle of its class, but for a factor that is the same for all.
    """
    edges = [0.0, *sorted(buckets)]
    classes = [
        (low, high, buckets[high].count - (buckets[low].count if low in buckets else 0.0))
        for low, high in pairwise(edges)
    ]
    found = [(low, high, count) for low, high, count in classes if count >= 0.5]
    weights = [count * ((low + high) / 2 if high < inf else 1.5 * low) for low, high, count in found]
    whole = sum(weights)
    if not whole:
        return []
    return [(*one, tokens * weight / whole) for one, weight in zip(found, weights, strict=True)]


def _edge(buckets: Mapping[float, Count], edges: Sequence[float], rank: float) -> float:
    return next((edge for edge in edges if buckets[edge].count >= rank - 0.5), edges[-1])
