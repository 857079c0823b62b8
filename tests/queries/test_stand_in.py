"""What stands in for a user's object answers to all that the object does, and to nothing more."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from functools import partial
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.queries.drained_stream import Drained, drain, drain_async, draining
from pytest_whq.queries.followed_stream import is_stream
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.queries.tally import Tally
from pytest_whq.testing import FakeClock

USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
CHUNKS = (
    {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "a"}}]},
    {"object": "chat.completion.chunk", "choices": [], "usage": USAGE},
)


class BothWays:
    """A stream that answers to ``for`` and ``async for``, as LiteLLM's."""

    def __init__(self) -> None:
        self._left = list(reversed(CHUNKS))
        self.response_cost = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class Everything(BothWays):
    """As of TensorRT-LLM's `generate_async`: it is awaited, read in chunks or asked for its result."""

    prompt_token_ids = (1, 2, 3, 4, 5, 6, 7)
    finished = True

    def __init__(self) -> None:
        super().__init__()
        self.outputs = [type("Output", (), {"token_ids": [1, 2, 3], "finish_reason": "stop"})()]

    def __await__(self) -> Generator[Any, Any, "Everything"]:
        yield from asyncio.sleep(0).__await__()
        self._left.clear()
        return self

    def result(self, timeout: float | None = None) -> "Everything":
        return self


class Bench:
    def __init__(self) -> None:
        self.tally = Tally()

    def receive(self, reply: Any) -> Any:
        return ReplyReader().receive(reply, self.tally, FakeClock(0.0).now, 0.0)

    @property
    def counted(self) -> tuple[int, int, TokenCount]:
        return self.tally.queries, self.tally.failed_queries, self.tally.tokens


ONE = (1, 0, TokenCount(7, 3))


def test_a_stream_that_can_be_read_both_ways_is_one_and_stays_so() -> None:
    for way in ("for", "async for"):
        bench, stream = Bench(), BothWays()
        assert is_stream(stream)
        followed = bench.receive(stream)
        assert isinstance(followed, BothWays)
        assert tuple(followed if way == "for" else asyncio.run(listed(followed))) == CHUNKS
        assert bench.counted == ONE


async def listed(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


def test_it_is_drained_in_the_way_of_the_call_that_made_it() -> None:
    assert drain(BothWays(), FakeClock().now, 0.0).ended.query.tokens == TokenCount(7, 3)

    async def called() -> Any:
        return BothWays()

    now = FakeClock().now
    found = asyncio.run(draining(called, now)())
    assert type(found) is Drained
    assert tuple(found.chunks) == CHUNKS
    assert asyncio.run(drain_async(BothWays(), now, 0.0)).ended.told


def test_what_has_every_protocol_keeps_them_and_is_one_query_by_any() -> None:
    async def awaited(reply: Any) -> Any:
        return await reply

    for use in (tuple, lambda reply: reply.result(timeout=1.0), lambda reply: asyncio.run(awaited(reply))):
        bench = Bench()
        received: Any = bench.receive(Everything())
        assert hasattr(type(received), "__await__")
        for _ in range(2):
            use(received)
        assert bench.counted == ONE


def test_one_that_is_never_used_has_no_reply() -> None:
    bench = Bench()
    received = bench.receive(Everything())
    bench.tally.abandon_under_way()
    assert bench.counted == (0, 1, TokenCount())
    assert received.result().finished


def test_an_awaitable_that_answers_with_a_stream_is_followed_into_it() -> None:
    class Request:
        def __await__(self) -> Generator[Any, Any, BothWays]:
            yield from asyncio.sleep(0).__await__()
            return BothWays()

    async def ask(request: Any) -> list[Any]:
        return await listed(await request)

    bench = Bench()
    assert tuple(asyncio.run(ask(bench.receive(Request())))) == CHUNKS
    assert bench.counted == ONE


def test_one_that_is_its_own_answer_is_not_read_in_chunks() -> None:
    reply = Everything()
    assert asyncio.run(draining(lambda: reply, FakeClock().now)()) is reply


def test_what_is_set_reaches_the_object_and_it_answers_to_no_more_than_it_has() -> None:
    stream = BothWays()
    followed = Bench().receive(stream)
    followed.response_cost = 5
    assert stream.response_cost == 5
    del followed.response_cost
    assert not hasattr(stream, "response_cost")
    for name in ("__await__", "__enter__", "close", "result"):
        assert not hasattr(followed, name)
    with pytest.raises(TypeError):
        len(followed)


def test_a_stream_that_is_received_again_is_no_second_query() -> None:
    bench = Bench()
    followed = bench.receive(BothWays())
    assert bench.receive(followed) is followed
    list(followed)
    assert bench.counted == ONE


class IteratesBothWays:
    """A stream of a tracer, that makes an iterator each time it is asked for one."""

    def __iter__(self) -> Iterator[Any]:
        yield from CHUNKS

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in CHUNKS:
            yield chunk


class AsyncIterable:
    """A stream for ``async for`` alone, that is no iterator itself."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in CHUNKS:
            yield chunk


def test_what_is_only_iterable_is_a_stream_where_async_for_takes_it() -> None:
    async def read_async(tally: Tally, stream: Any) -> list[Any]:
        received = ReplyReader().receive(stream, tally, FakeClock().now)
        return [chunk async for chunk in received]

    tally = Tally()
    assert tuple(ReplyReader().receive(IteratesBothWays(), tally, FakeClock().now)) == CHUNKS
    for stream in (IteratesBothWays(), AsyncIterable()):
        assert tuple(asyncio.run(read_async(tally, stream))) == CHUNKS
    assert tally.queries == 3
    assert tally.tokens == TokenCount(21, 9, None, None)
    assert not tally.failures


def test_what_is_only_iterable_is_drained_too() -> None:
    async def answer(stream: Any) -> Any:
        return stream

    found: list[Any] = [drain(IteratesBothWays(), FakeClock().now, 0.0)]
    for stream in (IteratesBothWays(), AsyncIterable()):
        found.append(asyncio.run(draining(partial(answer, stream), FakeClock().now)()))
    found.append(asyncio.run(draining(AsyncIterable, FakeClock().now)()))
    assert [tuple(drained.chunks) for drained in found] == [CHUNKS] * 4
    assert all(drained.ended.told for drained in found)
