"""Streams and responses that the measurement itself reads to their end."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from pytest_whq.queries.followed_stream import is_async_stream, is_stream
from pytest_whq.queries.query import Ended, StreamedQuery
from pytest_whq.queries.request import NOTHING_ASKED, Asked
from pytest_whq.queries.unread import is_unread, load, load_async


class Drained(NamedTuple):
    """A reply that was a stream: all of its chunks, and how it ended."""

    chunks: list[Any]
    ended: Ended


def drain(reply: Any, now: Callable[[], float], started_s: float, asked: Asked = NOTHING_ASKED) -> Any:
    """``reply``, read to its end: `Drained` where it is a stream; its errors pass through.

    ``now`` is the clock, on which the query that ``asked`` began at ``started_s``.
    """
    if not is_stream(reply):
        if is_unread(reply):
            load(reply)
        return reply
    query, chunks = StreamedQuery(now, started_s, asked.limit), []
    # Not with for: some streams are iterators that cannot be iterated.
    iterator = reply if hasattr(type(reply), "__next__") else iter(reply)
    with suppress(StopIteration):
        while True:
            chunk = next(iterator)
            query.take(chunk)
            chunks.append(chunk)
    return Drained(chunks, query.end())


async def drain_async(
    reply: Any, now: Callable[[], float], started_s: float, asked: Asked = NOTHING_ASKED
) -> Any:
    """`drain` of a reply that may be an async stream, or unread."""
    kind = type(reply)
    if not (hasattr(kind, "__anext__") or hasattr(kind, "__aiter__")) or not is_stream(reply):
        if is_unread(reply) and (loading := load_async(reply)) is not None:
            await loading
        return drain(reply, now, started_s, asked)
    query, chunks = StreamedQuery(now, started_s, asked.limit), []
    iterator = reply if hasattr(kind, "__anext__") else aiter(reply)
    with suppress(StopAsyncIteration):
        while True:
            chunk = await anext(iterator)
            query.take(chunk)
            chunks.append(chunk)
    return Drained(chunks, query.end())


def draining(
    call: Callable[[], Any], now: Callable[[], float], asked: Asked = NOTHING_ASKED
) -> Callable[[], Any]:
    """``call``, whose reply is drained, awaitable where ``call``'s is or is an async stream."""

    def drained() -> Any:
        __tracebackhide__ = True
        started_s = now()
        reply = call()
        if is_async_stream(reply):
            return drain_async(reply, now, started_s, asked)
        return (
            _awaited(reply, started_s) if hasattr(reply, "__await__") else drain(reply, now, started_s, asked)
        )

    async def _awaited(reply: Awaitable[Any], started_s: float) -> Any:
        __tracebackhide__ = True
        answer = await reply
        # One that is its own answer has come as a whole, though it could be read in chunks.
        return answer if answer is reply else await drain_async(answer, now, started_s, asked)

    return drained


def reply_of(answer: Any) -> Any:
    """What the user gets for a reply: the chunks of one that was a stream, else the reply itself."""
    return answer.chunks if isinstance(answer, Drained) else answer
