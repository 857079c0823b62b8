"""Streams pass through unchanged, and what follows them hears all of it."""

import asyncio
import gc
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from pytest_whq.model import TokenCount
from pytest_whq.queries.drained_stream import drain, drain_async
from pytest_whq.queries.followed_stream import follow, is_async_stream, is_stream
from pytest_whq.queries.query import Timing
from pytest_whq.testing import FakeClock


class Heard:
    """Keeps what it hears; only the first end counts."""

    def __init__(self) -> None:
        self.chunks: list[object] = []
        self.ends: list[str] = []

    def take(self, chunk: object) -> None:
        self.chunks.append(chunk)

    def end(self) -> None:
        self.ends.append("end")

    def fail(self, error: BaseException) -> None:
        self.ends.append(repr(error))

    def abandon(self) -> None:
        self.ends.append("abandoned")

    def answer(self, reply: Any, *, itself: bool) -> Any:
        self.ends.append("answered by itself" if itself else f"answered {reply}")
        return reply


def numbers() -> Iterator[int]:
    yield 1
    yield 2


async def async_numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


async def coroutine() -> None:
    pass


class ManagedStream:
    """A client's stream: iterator, context manager, with attributes and close."""

    response = "response"

    def __init__(self) -> None:
        self.closed = False
        self._left = [2, 1]

    def __iter__(self) -> "ManagedStream":
        return self

    def __next__(self) -> int:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def __enter__(self) -> "ManagedStream":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


COMPLETION = ChatCompletion.model_validate(
    {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": []}
)


@pytest.mark.parametrize("stream", [numbers(), iter([1]), map(str, [1]), ManagedStream(), async_numbers()])
def test_iterators_are_streams(stream: object) -> None:
    assert is_stream(stream)


@pytest.mark.parametrize(
    "reply", ["text", b"text", [1], (1,), {"a": 1}, {1}, range(3), None, 5, COMPLETION, io.StringIO("x")]
)
def test_what_can_be_read_again_is_no_stream_nor_is_a_file(reply: object) -> None:
    assert not is_stream(reply)


def test_arrays_and_mocks_and_what_is_awaited_are_no_streams() -> None:
    from unittest.mock import MagicMock

    import numpy as np

    # As in the package that unittest.mock came from.
    other_mock: Any = type("NonCallableMock", (), {"__anext__": None})
    awaitable = coroutine()
    assert not any(
        is_stream(reply)
        for reply in (np.arange(3), MagicMock(), type("Mock", (other_mock,), {})(), awaitable)
    )
    awaitable.close()


def test_a_stream_gives_the_same_chunks_and_its_follower_hears_the_end_once() -> None:
    heard, chunks = Heard(), [object(), object()]
    followed = follow(iter(chunks), heard)
    assert all(got is given for got, given in zip(followed, chunks, strict=True))
    assert list(followed) == []
    assert heard.chunks == chunks
    assert heard.ends == ["end", "end"]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[int] = []

    def reading() -> Iterator[None]:
        for number in range(3):
            read.append(number)
            yield

    followed = follow(reading(), Heard())
    next(followed)
    assert read == [0]


def test_an_error_in_a_stream_passes_through_as_it_is() -> None:
    error = ConnectionError("cut")

    def broken() -> Iterator[int]:
        yield 1
        raise error

    heard = Heard()
    followed = follow(broken(), heard)
    next(followed)
    with pytest.raises(ConnectionError) as raised:
        next(followed)
    assert raised.value is error
    assert heard.ends == ["ConnectionError('cut')"]


def test_attributes_context_manager_and_close_are_the_streams_own() -> None:
    heard, stream = Heard(), ManagedStream()
    followed = follow(stream, heard)
    with followed as entered:
        assert entered is followed
        assert entered.response == "response"
        assert next(entered) == 1
    assert stream.closed
    assert heard.ends == ["abandoned"]
    assert repr(followed) == repr(stream)
    with pytest.raises(AttributeError, match="'ManagedStream' object has no attribute 'nothing'"):
        _ = followed.nothing


def test_a_generator_can_still_be_sent_to_and_closed() -> None:
    def echo() -> Iterator[Any]:
        got = None
        while True:
            got = yield got

    heard = Heard()
    followed = follow(echo(), heard)
    next(followed)
    assert followed.send("hi") == "hi"
    followed.close()
    assert heard.ends == ["abandoned"]


def test_a_stream_that_is_lost_is_abandoned() -> None:
    heard = Heard()
    followed = follow(numbers(), heard)
    next(followed)
    del followed
    gc.collect()
    assert heard.ends == ["abandoned"]


def test_async_streams_pass_through_as_well() -> None:
    heard = Heard()

    async def read() -> list[int]:
        followed = follow(async_numbers(), heard)
        assert is_async_stream(followed)
        return [chunk async for chunk in followed]

    assert asyncio.run(read()) == heard.chunks == [1, 2]
    assert heard.ends[0] == "end"


def test_an_async_stream_that_is_closed_early_is_abandoned() -> None:
    heard = Heard()

    async def read() -> None:
        followed = follow(async_numbers(), heard)
        await anext(followed)
        await followed.aclose()

    asyncio.run(read())
    assert heard.ends[0] == "abandoned"


def chunk(content: str | None, **usage: int) -> dict[str, Any]:
    choices = [] if usage else [{"delta": {"role": "assistant", "content": content}}]
    return {"object": "chat.completion.chunk", "choices": choices, "usage": usage or None}


def test_a_drained_stream_is_a_query_with_its_tokens_and_times() -> None:
    clock = FakeClock(0.0)

    def stream() -> Iterator[Any]:
        for content in ("", "a", "b", "c"):
            clock.sleep(0.5)
            yield chunk(content)
        yield chunk(None, prompt_tokens=7, completion_tokens=3)

    drained = drain(stream(), clock.now, 0.0)
    assert len(drained.chunks) == 5
    assert drained.ended.told
    assert drained.ended.query.tokens == TokenCount(7, 3)
    # The first chunk holds no output yet, and the last comes with the one before it.
    assert drained.ended.query.timing == Timing(2.0, 1.0, 1.0, 4, started_s=0.0)


def test_a_drained_async_stream_too() -> None:
    async def stream() -> AsyncIterator[str]:
        yield "a"

    drained = asyncio.run(drain_async(stream(), FakeClock(0.0).now, 0.0))
    assert drained.chunks == ["a"]
    assert not drained.ended.told
    assert drained.ended.query.tokens == TokenCount()
