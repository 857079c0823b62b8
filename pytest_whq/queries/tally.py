"""Queries and tokens of one span, counted as they come."""

import threading
from collections import Counter
from typing import Protocol

from pytest_whq.model import TokenCount
from pytest_whq.queries.inputs import InputLog
from pytest_whq.queries.output_lengths import OutputLengths
from pytest_whq.queries.phase_log import PhaseLog
from pytest_whq.queries.query import Answered, Query
from pytest_whq.queries.query_log import QueryLog

NOT_OK = "not ok"
"""Kind of failure of a query that the test itself says has failed."""


class UnderWay(Protocol):
    """A query whose reply is not all there."""

    def abandon(self) -> None:
        """Its window closes: what is not there by now never will be."""


class Tally:
    """Counts queries that succeeded and failed, and sums the tokens of those that succeeded.

    A kind of token that one of them did not tell is unknown for all of them together. Calls from
    several threads are counted each. ``around`` counts them, too: the tally of the window around this
    one. ``unreadable`` is the first sentence that says why a reply's tokens could not be read. ``log``
    holds the queries whose times are known, ``phases`` when those one after another began to write,
    ``under_way`` the queries that have not ended, as those of streams, and ``inputs`` what was asked.
    """

    def __init__(self, around: "Tally | None" = None) -> None:
        self.around = around
        self.under_way: set[UnderWay] = set()
        self.queries = 0
        self.failures: Counter[str] = Counter()
        self.unreadable: str | None = None
        self.log = QueryLog()
        self.outputs = OutputLengths()
        self.inputs = InputLog()
        self.phases = PhaseLog()
        self._input: int | None = 0
        self._output: int | None = 0
        self._cached: int | None = 0
        self._reasoning: int | None = 0
        # Reentrant: a lost stream is counted by the garbage collector, in the midst of anything.
        self._lock = threading.RLock()

    def succeed(self, tokens: TokenCount, unreadable: str | None = None) -> None:
        """Count a query that succeeded, of which only the tokens are known."""
        self.count(Answered((Query(tokens),), unreadable))

    def count(self, answered: Answered) -> None:
        """Count the queries that a reply has answered, or failed to."""
        queries, unreadable, failures = answered
        with self._lock:
            for kind in failures:
                self.failures[kind] += 1
                self.phases.lose()
            if unreadable is not None and self.unreadable is None:
                self.unreadable = unreadable
            for query in queries:
                self.queries += 1
                self._add(query.tokens)
                if query.timing is not None:
                    self.log.add(query)
                self.outputs.add(query)
                self.phases.add(query.timing)
        if self.around is not None:
            self.around.count(answered)

    def succeed_unread(self, number: int) -> None:
        """Count so many queries that succeeded, of whose replies nothing is known."""
        if not number:
            return
        with self._lock:
            self.queries += number
            self._add(TokenCount())
            self.outputs.add(Query(TokenCount()))
        if self.around is not None:
            self.around.succeed_unread(number)

    def ask(self, prompt: int | None) -> None:
        """Note what a query asks, where its ``prompt`` is known, by its fingerprint."""
        if prompt is None:
            return
        self.inputs.add(prompt)
        if self.around is not None:
            self.around.ask(prompt)

    def fail(self, kind: str = NOT_OK, number: int = 1) -> None:
        """Count queries that failed; ``kind`` says how, such as the name of the error's type."""
        with self._lock:
            self.failures[kind] += number
            self.phases.lose()
        if self.around is not None:
            self.around.fail(kind, number)

    def ends(self, query: UnderWay) -> bool:
        """Whether ``query`` was under way, which from now on it is no longer."""
        try:
            self.under_way.remove(query)
        except KeyError:
            return False
        return True

    def abandon_under_way(self) -> None:
        """The window closes: what has not come to its end has failed."""
        for stream in list(self.under_way):
            stream.abandon()

    def include(self, other: "Tally") -> None:
        """Count what another tally has counted."""
        with self._lock:
            if other.queries:
                self._add(other.tokens)
            self.queries += other.queries
            self.failures.update(other.failures)
            self.unreadable = self.unreadable or other.unreadable
            self.log.extend(other.log)
            self.outputs.include(other.outputs)
            self.inputs.include(other.inputs)
            self.phases.include(other.phases)

    @property
    def failed_queries(self) -> int:
        """How many failed, of every kind."""
        return self.failures.total()

    @property
    def tokens(self) -> TokenCount:
        """The sums so far; all unknown where nothing succeeded."""
        if not self.queries:
            return TokenCount()
        return TokenCount(self._input, self._output, self._cached, self._reasoning)

    def _add(self, tokens: TokenCount) -> None:
        # Written out: a load generator waits for this at each query.
        told = tokens.input_tokens
        self._input = None if told is None or self._input is None else self._input + told
        told = tokens.output_tokens
        self._output = None if told is None or self._output is None else self._output + told
        told = tokens.cached_input_tokens
        self._cached = None if told is None or self._cached is None else self._cached + told
        told = tokens.reasoning_tokens
        self._reasoning = None if told is None or self._reasoning is None else self._reasoning + told
