"""Times and lengths of many queries in a few bytes each, and their distributions."""

import math
from array import array
from collections.abc import Iterable, Sequence

from pytest_whq.model.serving import Distribution, Distributions
from pytest_whq.queries.query import Query, Timing

_UNKNOWN_S = math.nan
_UNKNOWN = -1
_UNTIMED = Timing(_UNKNOWN_S)


class QueryLog:
    """Queries that succeeded, in the order in which they ended: 48 bytes each."""

    __slots__ = ("_chunks", "_first_s", "_input", "_latency_s", "_output", "_stream_s")

    def __init__(self) -> None:
        self._latency_s = array("d")
        self._first_s = array("d")
        self._stream_s = array("d")
        self._chunks = array("i")
        self._input = array("q")
        self._output = array("q")

    def __len__(self) -> int:
        return len(self._latency_s)

    def add(self, query: Query) -> None:
        """Note a query."""
        latency_s, first_s, stream_s, chunks, _ = query.timing or _UNTIMED
        tokens = query.tokens
        self._latency_s.append(latency_s)
        self._first_s.append(_UNKNOWN_S if first_s is None else first_s)
        self._stream_s.append(_UNKNOWN_S if stream_s is None else stream_s)
        self._chunks.append(chunks)
        self._input.append(_UNKNOWN if tokens.input_tokens is None else tokens.input_tokens)
        self._output.append(_UNKNOWN if tokens.output_tokens is None else tokens.output_tokens)

    def extend(self, other: "QueryLog") -> None:
        """Note the queries of another log."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    def distributions(self) -> Distributions | None:
        """How times and lengths are spread; None where no query is noted."""
        if not len(self):
            return None
        return Distributions(
            latency_s=distribution(_known(self._latency_s)),
            ttft_s=distribution(_known(self._first_s)),
            tpot_s=distribution(_shares(self._stream_s, self._output)),
            between_chunks_s=distribution(_shares(self._stream_s, self._chunks)),
            input_tokens=distribution([count for count in self._input if count >= 0]),
            output_tokens=distribution([count for count in self._output if count >= 0]),
        )


def distribution(values: Iterable[float]) -> Distribution | None:
    """How ``values`` are spread; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    count = len(ordered)
    return Distribution(
        count=count,
        mean=math.fsum(ordered) / count,
        p50=_percentile(ordered, 50),
        p90=_percentile(ordered, 90),
        p99=_percentile(ordered, 99),
        max=float(ordered[-1]),
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    rank = -(-percent * len(ordered) // 100)  # rounded up: the nearest-rank method
    return float(ordered[rank - 1])


def _known(times_s: Iterable[float]) -> list[float]:
    return [time_s for time_s in times_s if not math.isnan(time_s)]


def _shares(times_s: Iterable[float], counts: Iterable[int]) -> list[float]:
    """The time per item after the first, of the streams that had more than one."""
    pairs = zip(times_s, counts, strict=True)
    return [time_s / (count - 1) for time_s, count in pairs if count > 1 and not math.isnan(time_s)]
