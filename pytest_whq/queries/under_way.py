"""Queries whose reply is not all there, and that are counted when it is."""

from collections.abc import Callable
from typing import Any

from pytest_whq.queries.query import ABANDONED, Answered, Ended, StreamedQuery
from pytest_whq.queries.tally import Tally


class StreamUnderWay:
    """Follows a stream until it ends, in one of three ways and once, and counts its query then."""

    __slots__ = ("_query", "_read", "_receive", "_tally", "take")

    def __init__(
        self,
        query: StreamedQuery,
        read: Callable[[Ended], Answered],
        receive: Callable[[Any, bool], Any],
        tally: Tally,
    ) -> None:
        self.take = query.take
        self._query = query
        self._read = read
        self._receive = receive
        self._tally = tally
        tally.under_way.add(self)

    def end(self) -> None:
        """It is read to its end: the query succeeded, unless that was an error."""
        if self._ends():
            self._tally.count(self._read(self._query.end()))

    def fail(self, error: BaseException) -> None:
        """It has raised ``error``."""
        if self._ends():
            self._tally.fail(type(error).__name__)

    def abandon(self) -> None:
        """It is not going to be read to its end."""
        if self._ends():
            self._tally.fail(ABANDONED)

    def answer(self, reply: Any, *, itself: bool) -> Any:
        """It has come as a whole, or what it stood for has."""
        return self._receive(reply, itself) if self._ends() else reply

    def _ends(self) -> bool:
        return self._tally.ends(self)


class Later:
    """A query whose reply is read once all of it is there, at the latest when its window closes."""

    __slots__ = ("_read", "_tally")

    def __init__(self, read: Callable[[], Answered], tally: Tally) -> None:
        self._read = read
        self._tally = tally
        tally.under_way.add(self)

    def abandon(self) -> None:
        """Count it as it stands now."""
        if self._tally.ends(self):
            self._tally.count(self._read())
