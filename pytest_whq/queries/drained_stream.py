"""Streams that the measurement itself reads to their end."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from pytest_whq.model import TokenCount
from pytest_whq.queries.followed_stream import follow, is_async_stream, is_stream
from pytest_whq.queries.query import Query, StreamedQuery
from pytest_whq.queries.request import NOTHING_ASKED, Asked


class Drained(NamedTuple):
    """A reply that was a stream: all of its chunks, and the query. ``told`` when chunks told its tokens."""

    chunks: list[Any]
    query: Query
    told: bool


class _Draining:
    """The follower of a stream that is drained."""

    def __init__(self, now: Callable[[], float], started_s: float, asked: Asked) -> None:
        self.follower = StreamedQuery(now, self._ended, started_s, asked.limit)
        self._how: Query | str = ""
        self._told = False

    def _ended(self, _: StreamedQuery, how: Query | str, count: TokenCount | None) -> None:
        self._how, self._told = how, count is not None

    def drained(self, chunks: list[Any]) -> Drained:
        # A stream that ends without its follower noticing cannot be: it was iterated to its end.
        assert isinstance(self._how, Query)
        return Drained(chunks, self._how, self._told)


def drain(stream: Any, now: Callable[[], float], started_s: float, asked: Asked = NOTHING_ASKED) -> Drained:
    """Read ``stream``, the reply to what was ``asked``, to its end; its errors pass through."""
    draining = _Draining(now, started_s, asked)
    return draining.drained(list(follow(stream, draining.follower)))


async def drain_async(
    stream: Any, now: Callable[[], float], started_s: float, asked: Asked = NOTHING_ASKED
) -> Drained:
    """`drain` of an async stream."""
    draining = _Draining(now, started_s, asked)
    return draining.drained([chunk async for chunk in follow(stream, draining.follower)])


def draining(
    call: Callable[[], Any], now: Callable[[], float], asked: Asked = NOTHING_ASKED
) -> Callable[[], Any]:
    """``call``, which returns a `Drained` where its reply is a stream, awaitable where ``call``'s is."""

    def drained() -> Any:
        __tracebackhide__ = True
        started_s = now()
        reply = call()
        if is_async_stream(reply):
            return drain_async(reply, now, started_s, asked)
        if is_stream(reply):
            return drain(reply, now, started_s, asked)
        return _awaited(reply, started_s) if hasattr(reply, "__await__") else reply

    async def _awaited(reply: Awaitable[Any], started_s: float) -> Any:
        __tracebackhide__ = True
        answer = await reply
        if is_async_stream(answer):
            return await drain_async(answer, now, started_s, asked)
        return drain(answer, now, started_s, asked) if is_stream(answer) else answer

    return drained


def reply_of(answer: Any) -> Any:
    """What the user gets for a reply: the chunks of one that was a stream, else the reply itself."""
    return answer.chunks if isinstance(answer, Drained) else answer
