"""Queries and tokens of one span, counted as they come."""

import threading
from collections.abc import Sequence

from pytest_whq.model import TokenCount

_FIELDS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")


class Tally:
    """Counts queries that succeeded and failed, and sums the tokens of those that succeeded.

    A kind of token that one of them did not tell is unknown for all of them together. Calls from
    several threads are counted each. ``unreadable`` is the first sentence that says why a reply's
    tokens could not be read.
    """

    def __init__(self) -> None:
        self.queries = 0
        self.failed_queries = 0
        self.unreadable: str | None = None
        self._sums: dict[str, int | None] = dict.fromkeys(_FIELDS, 0)
        self._lock = threading.Lock()

    def succeed(self, tokens: TokenCount, unreadable: str | None = None) -> None:
        """Count a query that succeeded."""
        with self._lock:
            self.queries += 1
            self.unreadable = self.unreadable or unreadable
            for name in _FIELDS:
                told, so_far = getattr(tokens, name), self._sums[name]
                self._sums[name] = None if told is None or so_far is None else so_far + told

    def fail(self) -> None:
        """Count a query that failed."""
        with self._lock:
            self.failed_queries += 1

    @property
    def tokens(self) -> TokenCount:
        """The sums so far; all unknown where nothing succeeded."""
        return TokenCount(**self._sums) if self.queries else TokenCount()


def sum_tokens(counts: Sequence[TokenCount]) -> TokenCount:
    """Tokens of several spans together; what one of them does not know is unknown."""
    tally = Tally()
    for count in counts:
        tally.succeed(count)
    return tally.tokens
