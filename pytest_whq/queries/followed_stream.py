"""Replies that come in chunks: told apart from all others, and followed without a change to them."""

import functools
import inspect
import io
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any, Protocol

from pytest_whq.queries.stand_in import StandIn, is_stand_in
from pytest_whq.tokens.fields import is_mock


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

    def answer(self, reply: Any, *, itself: bool) -> Any:
        """It was awaited, or asked for its ``result``: that is ``reply``, another or ``itself``, as a whole.

        Returns what the caller gets for it.
        """


def is_stream(reply: object) -> bool:
    """Whether ``reply`` is read chunk by chunk, once: an iterator, or what ``async for`` takes, or both.

    What can be iterated again and again is a reply as it stands: text, lists, dicts, arrays and the
    models of clients. So is a file, and a coroutine; a mock is none, though it answers to everything.
    """
    kind = type(reply)
    if not any(hasattr(kind, name) for name in ("__next__", "__anext__", "__aiter__")):
        return False
    if kind is GeneratorType and inspect.isawaitable(reply):
        return False
    # Pages of lists are models, whose next ones are further calls.
    is_data = issubclass(kind, io.IOBase) or hasattr(kind, "__pydantic_fields__")
    return not is_data and not is_mock(reply)


def is_async_stream(reply: object) -> bool:
    """Whether ``reply`` is what ``async for`` takes, and ``for`` does not."""
    kind = type(reply)
    if hasattr(kind, "__anext__"):
        return not hasattr(kind, "__next__")
    return hasattr(kind, "__aiter__") and not hasattr(kind, "__iter__")


def follow(stream: Any, follower: Follower) -> Any:
    """``stream``, or what stands in for it: it gives the same chunks and errors, and ``follower`` hears.

    The streams of the OpenAI and Anthropic clients stay the very objects that they are: their helpers
    read past a stand-in, as ``text_stream`` and ``get_final_message`` do.
    """
    inner = _inner(stream)
    if inner is not None and is_stream(inner):
        stream._iterator = Followed._whq_for(inner)(inner, follower)
        return stream
    return Followed._whq_for(stream)(stream, follower)


def is_followed(reply: object) -> bool:
    """Whether ``reply`` is what `follow` returned."""
    return is_stand_in(reply) or is_stand_in(_inner(reply))


def _inner(stream: Any) -> Any:
    # By its own dict: an attribute may be anything, where objects answer to all names.
    return getattr(stream, "__dict__", {}).get("_iterator")


class Followed(StandIn):
    """Stands in for a stream, whichever ways it can be read in."""

    __slots__ = ("_whq_follower", "_whq_iterated")

    _whq_follower: Follower

    def __init__(self, stream: Any, follower: Follower, iterated: "Followed | None" = None) -> None:
        """``iterated`` is what this is the iterator of, and lives as long."""
        super().__init__(stream)
        self._whq_follower = follower
        self._whq_iterated = iterated

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        wrap = _METHODS.get(name)
        return found if wrap is None or not callable(found) else functools.partial(wrap, self, found)

    def __del__(self) -> None:
        # Absent where __init__ was never reached.
        follower = getattr(self, "_whq_follower", None)
        if follower is not None and self._whq_iterated is None:
            follower.abandon()

    def _whq_step(self, step: Callable[..., Any], *arguments: Any) -> Any:
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

    async def _whq_step_async(self, step: Callable[..., Any], *arguments: Any) -> Any:
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

    def _whq_close(self, close: Callable[..., Any], *arguments: Any) -> Any:
        self._whq_follower.abandon()
        return close(*arguments)

    def _whq_result(self, result: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return self._whq_answered(result(*arguments, **named))

    async def _whq_result_async(self, result: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return self._whq_answered(await result(*arguments, **named))

    def _whq_answered(self, answer: Any) -> Any:
        return self._whq_follower.answer(answer, itself=answer is self._whq_target)

    def _whq_await(self) -> Generator[Any, Any, Any]:
        try:
            answer = yield from self._whq_target.__await__()
        except BaseException as error:
            self._whq_follower.fail(error)
            raise
        return self._whq_answered(answer)

    def _whq_next(self) -> Any:
        return self._whq_step(self._whq_target.__next__)

    async def _whq_anext(self) -> Any:
        return await self._whq_step_async(self._whq_target.__anext__)

    def _whq_iter(self) -> Any:
        return self._whq_over(iter(self._whq_target))

    def _whq_aiter(self) -> Any:
        return self._whq_over(aiter(self._whq_target))

    def _whq_over(self, iterator: Any) -> Any:
        if iterator is self._whq_target:
            return self
        return Followed._whq_for(iterator)(iterator, self._whq_follower, self)

    def _whq_enter(self) -> Any:
        entered = self._whq_target.__enter__()
        return self if entered is self._whq_target else entered

    def _whq_exit(self, *error: Any) -> Any:
        return self._whq_close(self._whq_target.__exit__, *error)

    async def _whq_aenter(self) -> Any:
        entered = await self._whq_target.__aenter__()
        return self if entered is self._whq_target else entered

    async def _whq_aexit(self, *error: Any) -> Any:
        return await self._whq_close(self._whq_target.__aexit__, *error)

    _whq_protocols = {  # noqa: RUF012 - as the base has it
        "__iter__": _whq_iter,
        "__next__": _whq_next,
        "__aiter__": _whq_aiter,
        "__anext__": _whq_anext,
        "__await__": _whq_await,
        "__enter__": _whq_enter,
        "__exit__": _whq_exit,
        "__aenter__": _whq_aenter,
        "__aexit__": _whq_aexit,
    }


_METHODS: dict[str, Callable[..., Any]] = {
    "send": Followed._whq_step,
    "throw": Followed._whq_step,
    "asend": Followed._whq_step_async,
    "athrow": Followed._whq_step_async,
    "close": Followed._whq_close,
    "aclose": Followed._whq_close,
    "result": Followed._whq_result,
    "aresult": Followed._whq_result_async,
}
"""What a follower hears of, beside what Python itself looks up on the type."""
