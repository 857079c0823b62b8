"""Functions that record each reply of another one, or its failure, in the window that is open then."""

import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.queries.followed_stream import is_stream
from pytest_whq.queries.query import Timing
from pytest_whq.queries.request import Asked, asked_by


def recording(
    ledger: Ledger, window: Callable[[], Meter | None], call: Callable[..., Any]
) -> Callable[..., Any]:
    """A function that calls ``call`` and records what it returns, once that is there.

    ``window`` tells where, at each call; while it tells None nothing is recorded.
    """

    @functools.wraps(call)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if (meter := window()) is None:
            return call(*args, **kwargs)
        query = _Recorded(ledger, meter, asked_by(call, args, kwargs))
        with query.failing():
            reply = call(*args, **kwargs)
        return query.returned(reply)

    return _as_coroutine_function(recorded) if inspect.iscoroutinefunction(call) else recorded


def _as_coroutine_function(call: Callable[..., Any]) -> Callable[..., Any]:
    """``call``, which returns a coroutine, as what libraries ask for with ``iscoroutinefunction``."""

    @functools.wraps(call)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return await call(*args, **kwargs)

    return awaited


class _Recorded:
    """One call of a recorded function."""

    def __init__(self, ledger: Ledger, meter: Meter, asked: Asked) -> None:
        self._reader = ledger.reader
        self._clock = ledger.clock
        self._meter = meter
        self._asked = asked
        self._started_s = self._clock.now()

    def returned(self, reply: Any) -> Any:
        """Record ``reply``, or see to it that it is recorded; returns what the caller gets for it."""
        if hasattr(reply, "__await__") and not hasattr(reply, "__aenter__"):
            return self._awaited(reply)
        if hasattr(reply, "__await__") or _is_manager(reply):
            return _Entering(self, reply)
        return self._record(reply)

    def entered(self, reply: Any) -> Any:
        """Record what a context manager has given; one that gives no reply is no query."""
        return self._record(reply) if is_stream(reply) else reply

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Record an error of what runs inside as a failed query, and let it pass."""
        __tracebackhide__ = True
        try:
            yield
        except Exception as error:
            if self._meter.is_open:
                self._meter.tally.fail(type(error).__name__)
            raise

    async def _awaited(self, reply: Awaitable[Any]) -> Any:
        __tracebackhide__ = True
        with self.failing():
            answer = await reply
        return self._record(answer)

    def _record(self, reply: Any) -> Any:
        if not self._meter.is_open:
            return reply
        if is_stream(reply):
            return self._reader.follow(
                reply, self._meter.tally, self._clock.now, self._started_s, asked=self._asked
            )
        timing = Timing(self._clock.now() - self._started_s)
        self._meter.tally.count(self._reader.read(reply, timing=timing, asked=self._asked))
        return reply


def _is_manager(reply: object) -> bool:
    """Whether ``reply`` gives the real reply only inside of a ``with``, as the clients' stream helpers do."""
    kind = type(reply)
    enters = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    return enters and not is_stream(reply) and kind.__name__.endswith("StreamManager")


class _Entering:
    """Stands in for what is entered, or awaited, to get at a reply."""

    def __init__(self, query: _Recorded, manager: Any) -> None:
        self._query = query
        self._manager = manager

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def __await__(self) -> Any:
        return self._query._awaited(self._manager).__await__()

    def __enter__(self) -> Any:
        with self._query.failing():
            entered = self._manager.__enter__()
        return self._query.entered(entered)

    def __exit__(self, *error: Any) -> Any:
        return self._manager.__exit__(*error)

    async def __aenter__(self) -> Any:
        with self._query.failing():
            entered = await self._manager.__aenter__()
        return self._query.entered(entered)

    async def __aexit__(self, *error: Any) -> Any:
        return await self._manager.__aexit__(*error)
