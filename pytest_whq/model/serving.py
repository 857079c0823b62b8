"""How queries were served: the spread of their lengths and times, and the load. Frozen values."""

from dataclasses import dataclass, fields
from typing import Literal


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

    def __contains__(self, name: object) -> bool:
        """Whether that of ``name`` is known, as in ``"ttft_s" in distributions``."""
        return any(field.name == name and getattr(self, field.name) is not None for field in fields(self))


@dataclass(frozen=True, slots=True)
class Phase:
    """Joules of prefill or of decode, of all queries together, with one standard uncertainty.

    ``tokens`` are those that the phase is for: input tokens of prefill, output tokens of decode.
    ``duration_s`` is its time, None where devices did nothing else.
    """

    energy_j: float
    uncertainty_j: float
    duration_s: float | None = None
    tokens: int | None = None

    @property
    def j_per_token(self) -> float | None:
        """Joules of this phase per token, as uncertain as its energy."""
        return self.energy_j / self.tokens if self.tokens else None


@dataclass(frozen=True, slots=True)
class Phases:
    """The energy of queries up to their first tokens and from there on.

    Told apart by the ``first_token`` of streams that came one after another, or by the ``role`` of devices.
    """

    separated_by: Literal["first_token", "role"]
    prefill: Phase
    decode: Phase


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


@dataclass(frozen=True, slots=True)
class ServerWork:
    """What the inference engine itself has counted from just before a window to just after it.

    Of a load that is all of it, ramp-up and tail too. ``queries`` are requests that ended, also those that
    failed; ``prefilled_tokens`` are the input tokens that no cache held. ``fills`` names the tokens of the
    measurement that are from here, since the replies do not tell them; ``foreign_queries`` are those that
    were not the test's. What the engine does not tell is None.
    """

    engine: str
    queries: int | None = None
    failed_queries: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    prefilled_tokens: int | None = None
    foreign_queries: int | None = None
    fills: tuple[str, ...] = ()
