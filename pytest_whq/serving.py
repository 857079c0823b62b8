"""How queries were served: the spread of their lengths and times, and the load. Frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """How ``count`` values are spread; percentiles are values that occurred (nearest rank)."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Distributions:
    """Times and lengths of the queries that succeeded, over those of which each is known.

    ``ttft_s`` is from the start to the first chunk with output, ``tpot_s`` the time from there to the
    last chunk per output token after the first, ``between_chunks_s`` the same per chunk.
    """

    latency_s: Distribution | None
    ttft_s: Distribution | None
    tpot_s: Distribution | None
    between_chunks_s: Distribution | None
    input_tokens: Distribution | None
    output_tokens: Distribution | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a load outside the measured window; ``queries`` ended well in it."""

    duration_s: float
    queries: int
    failed_queries: int
    energy_j: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """What `whq.load` did. ``rate_per_s`` is that of Poisson arrivals, None where a query followed a query.

    The measured window is the steady state, between ``ramp_up`` and ``tail``; where that was too
    short to stand for anything it is the whole load, and both are None. ``edge_queries`` is by how
    many queries' work the window holds more than its queries stand for: those still under way at its
    end less those under way at its start, each by the share of its time. Rates are of the window.
    """

    concurrency: int
    rate_per_s: float | None
    queries_per_s: float
    input_tokens_per_s: float | None
    output_tokens_per_s: float | None
    edge_queries: float
    ramp_up: Stretch | None
    tail: Stretch | None
