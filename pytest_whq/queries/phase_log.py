"""When prefill and decode of streamed queries were."""

from array import array
from collections.abc import Iterable, Sequence

from pytest_whq.queries.query import Timing


class PhaseLog:
    """When each query began, wrote its first token and its last, as long as they come one after another.

    Once queries overlap, or one does not tell its first token, nothing more is kept: 24 bytes for each
    query are for those that can be told apart.
    """

    __slots__ = ("edges_s",)

    def __init__(self) -> None:
        self.edges_s: array[float] | None = array("d")

    def add(self, timing: Timing | None) -> None:
        """Note a query that succeeded."""
        edges_s = self.edges_s
        if edges_s is None:
            return
        if timing is None or timing.started_s is None or timing.first_s is None or timing.stream_s is None:
            self.edges_s = None
            return
        first_s = timing.started_s + timing.first_s
        self._append((timing.started_s, first_s, first_s + timing.stream_s))

    def lose(self) -> None:
        """A query failed: what it did, and when, is not known."""
        self.edges_s = None

    def include(self, later: "PhaseLog") -> None:
        """Note the queries of another log, which came after those of this one."""
        if later.edges_s is None:
            self.edges_s = None
        else:
            self._append(later.edges_s)

    def _append(self, edges_s: Sequence[float]) -> None:
        if self.edges_s and edges_s and edges_s[0] < self.edges_s[-1]:
            self.edges_s = None
        elif self.edges_s is not None:
            self.edges_s.extend(edges_s)


def joined_edges(logs: Iterable[PhaseLog]) -> Sequence[float] | None:
    """The edges of all queries of ``logs``, which are in order; None where they cannot be told apart."""
    every = PhaseLog()
    for log in logs:
        every.include(log)
    return every.edges_s
