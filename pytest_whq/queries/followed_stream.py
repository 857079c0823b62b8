"""Replies that come in chunks: told apart from all others, and followed without a change to them."""

import inspect
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol


class Follower(Protocol):
    """Hears what happens to a stream; once it has ended, in one of three ways, it may hear of it again."""

    def take(self, chunk: object) -> None:
        """The stream gave ``chunk``."""

    def end(self) -> None:
        """It is at its end."""

    def fail(self, error: BaseException) -> None:
        """It raised ``error``."""

    def abandon(self) -> None:
        """It was closed, or lost, before its end."""


def is_stream(reply: object) -> bool:
    """Whether ``reply`` is read chunk by chunk, once: an iterator, sync or async.

    What can be iterated again and again is a reply as it stands: text, lists, dicts, arrays and the
    models of clients. So is a file, and what is to be awaited first.
    """
    kind = type(reply)
    if not hasattr(kind, "__next__"):
        return hasattr(kind, "__anext__")
    # Mocks answer to both, and are neither.
    mock = hasattr(kind, "__anext__")
    return not mock and not isinstance(reply, io.IOBase) and not inspect.isawaitable(reply)


def is_async_stream(reply: object) -> bool:
    """Whether ``reply`` is a stream that is iterated with ``async for``."""
    return hasattr(type(reply), "__anext__") and not hasattr(type(reply), "__next__")


def follow(stream: Any, follower: Follower) -> Any:
    """``stream``, or what stands in for it: it gives the same chunks and errors, and ``follower`` hears.

    The streams of the OpenAI and Anthropic clients stay the very objects that they are: their helpers
    read past a stand-in, as ``text_stream`` and ``get_final_message`` do.
    """
    inner = getattr(stream, "__dict__", {}).get("_iterator")
    if inner is not None and is_stream(inner):
        stream._iterator = _stand_in(inner, follower)
        return stream
    return _stand_in(stream, follower)


def _stand_in(stream: Any, follower: Follower) -> Any:
    return (AsyncFollowed if is_async_stream(stream) else Followed)(stream, follower)


class _StandIn:
    """What both kinds share: all that is not iteration is the stream's own."""

    def __init__(self, stream: Any, follower: Follower) -> None:
        self._whq_stream = stream
        self._whq_follower = follower

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whq_stream, name)

    def __repr__(self) -> str:
        return repr(self._whq_stream)

    def __del__(self) -> None:
        # Absent where __init__ was never reached.
        if (follower := vars(self).get("_whq_follower")) is not None:
            follower.abandon()

    def _whq_closed(self, close: str) -> Any:
        self._whq_follower.abandon()
        return getattr(self._whq_stream, close)


class Followed(_StandIn):
    """Stands in for an iterator."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._step(self._whq_stream.__next__)

    def send(self, value: Any) -> Any:
        """As a generator's."""
        return self._step(self._whq_stream.send, value)

    def throw(self, *error: Any) -> Any:
        """As a generator's."""
        return self._step(self._whq_stream.throw, *error)

    def close(self) -> Any:
        """Close the stream: before its end it is abandoned."""
        return self._whq_closed("close")()

    def __enter__(self) -> Any:
        entered = self._whq_stream.__enter__()
        return self if entered is self._whq_stream else entered

    def __exit__(self, *error: Any) -> Any:
        return self._whq_closed("__exit__")(*error)

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        try:
            chunk = step(*arguments)
        except StopIteration:
            self._whq_follower.end()
            raise
        except BaseException as error:
            self._whq_follower.fail(error)
            raise
        self._whq_follower.take(chunk)
        return chunk


class AsyncFollowed(_StandIn):
    """Stands in for an async iterator."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._step(self._whq_stream.__anext__)

    async def asend(self, value: Any) -> Any:
        """As an async generator's."""
        return await self._step(self._whq_stream.asend, value)

    async def athrow(self, *error: Any) -> Any:
        """As an async generator's."""
        return await self._step(self._whq_stream.athrow, *error)

    async def aclose(self) -> Any:
        """Close the stream: before its end it is abandoned."""
        return await self._whq_closed("aclose")()

    async def close(self) -> Any:
        """Close the stream, as the clients' own are closed."""
        return await self._whq_closed("close")()

    async def __aenter__(self) -> Any:
        entered = await self._whq_stream.__aenter__()
        return self if entered is self._whq_stream else entered

    async def __aexit__(self, *error: Any) -> Any:
        return await self._whq_closed("__aexit__")(*error)

    async def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        try:
            chunk = await step(*arguments)
        except StopAsyncIteration:
            self._whq_follower.end()
            raise
        except BaseException as error:
            self._whq_follower.fail(error)
            raise
        self._whq_follower.take(chunk)
        return chunk
