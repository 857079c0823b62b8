"""What the ``whq`` fixture gives to a test."""

import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, NoReturn, ParamSpec, Self, TypeVar, cast, overload

import pytest

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Waits, wait, wait_async
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.repeating import repeat, run, run_async
from pytest_whq.model import Measurement

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")


class Whq:
    """The fixture: one for each test. Without a ledger (``--whq-disable``) it runs and measures nothing."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._windows: set[Meter] = set()

    def __call__(
        self, call: Callable[Parameters, Reply], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Reply:
        """Call ``call(*args, **kwargs)`` until its energy is known well enough; returns the last reply.

        Where the call returns an awaitable, so does this. An error of the call passes through, and is
        counted as a failed query.
        """
        _check_callable(call, "whq(client.chat, ...)")
        bound = functools.partial(call, *args, **kwargs)
        if self._ledger is None:
            return bound()
        steps = repeat(self._ledger, self._ledger.instruments.meter())
        carry_out = run_async if inspect.iscoroutinefunction(call) else run
        return cast(Reply, carry_out(steps, self._ledger.clock, bound))

    def measure(self) -> "Window":
        """A window of the test's own, for ``with whq.measure() as window`` or ``async with``."""
        window = Window(self._ledger)
        if window.meter is not None:
            self._windows.add(window.meter)
        return window

    def wrap(self, call: Callable[Parameters, Reply], /) -> Callable[Parameters, Reply]:
        """A function that calls ``call`` and records each reply, or failure, in the window open then.

        Inside of ``whq(call)``, whose own call is the query, it records nothing.
        """
        _check_callable(call, "whq.wrap(client.chat)")

        @functools.wraps(call)
        def recorded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Reply:
            meter = self._innermost_window()
            if self._ledger is None or meter is None:
                return call(*args, **kwargs)
            with _failing(self._ledger, meter):
                reply = call(*args, **kwargs)
            if inspect.isawaitable(reply):
                return cast(Reply, _record_awaited(self._ledger, meter, reply))
            self._ledger.record(meter, reply)
            return reply

        return _as_coroutine_function(recorded) if inspect.iscoroutinefunction(call) else recorded

    def _innermost_window(self) -> Meter | None:
        meter = None if self._ledger is None else self._ledger.innermost
        return meter if meter in self._windows else None

    @property
    def measurement(self) -> Measurement:
        """What this test has measured so far: all of its closed windows together.

        With ``--whq-disable`` the test is skipped here: there is no figure to look at.
        """
        if self._ledger is None:
            _skip_unmeasured()
        return self._ledger.measurement


class Window:
    """One contiguous stretch of a test in which energy is measured and queries are recorded."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self.meter = None if ledger is None else ledger.instruments.meter()
        self._measurement: Measurement | None = None

    @overload
    def record(
        self, *, input_tokens: int | None = None, output_tokens: int | None = None, ok: bool = True
    ) -> None: ...

    @overload
    def record(
        self,
        reply: Reply,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        ok: bool = True,
    ) -> Reply: ...

    def record(
        self,
        reply: Any = None,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        ok: bool = True,
    ) -> Any:
        """Record one query and return its ``reply``; a list of replies is one query each.

        Tokens are read from the reply where they are not given. ``ok=False`` records a failed query.
        """
        if self._ledger is None or self.meter is None:
            return reply
        if not self.meter.is_open:
            raise WhqError("A query is recorded while its window is open: inside the with of whq.measure().")
        if ok:
            self._ledger.record(self.meter, reply, input_tokens=input_tokens, output_tokens=output_tokens)
        else:
            self._ledger.record_failure(self.meter)
        return reply

    @property
    def measurement(self) -> Measurement:
        """What was measured, once the window is closed; with ``--whq-disable`` the test is skipped here."""
        if self._ledger is None:
            _skip_unmeasured()
        if self._measurement is None:
            raise WhqError("A window's measurement is there once it has closed, after its with block.")
        return self._measurement

    def __enter__(self) -> Self:
        if self._ledger is not None:
            wait(self._ledger.clock, self._opening(self._ledger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            wait(self._ledger.clock, self._closing(self._ledger, kind))

    async def __aenter__(self) -> Self:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._opening(self._ledger))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._closing(self._ledger, kind))

    def _opening(self, ledger: Ledger) -> Waits:
        assert self.meter is not None
        if self.meter.is_open or self.meter.spans:
            raise WhqError("A window opens once: call whq.measure() again for another one.")
        return _opening(ledger, self.meter)

    def _closing(self, ledger: Ledger, kind: type[BaseException] | None) -> Waits:
        assert self.meter is not None
        self.meter.end()
        ledger.closing(self.meter)
        if kind is not None and not issubclass(kind, _WAITED_FOR):
            self.meter.abandon()
            return
        yield from self.meter.closing()
        self._measurement = ledger.closed(self.meter)


_WAITED_FOR = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""Errors of a test; any other ends the session or the task, and must not be held up."""


def _opening(ledger: Ledger, meter: Meter) -> Waits:
    yield from meter.claiming()
    yield from meter.opening()
    ledger.opened(meter)
    meter.begin()


@contextlib.contextmanager
def _failing(ledger: Ledger, meter: Meter) -> Iterator[None]:
    """Record an error of what runs inside as a failed query, and let it pass."""
    try:
        yield
    except Exception:
        if meter.is_open:
            ledger.record_failure(meter)
        raise


def _as_coroutine_function(call: Callable[..., Any]) -> Callable[..., Any]:
    """``call``, which returns a coroutine, as what libraries ask for with ``iscoroutinefunction``."""

    @functools.wraps(call)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    return awaited


def _check_callable(call: object, example: str) -> None:
    if callable(call):
        return
    if inspect.iscoroutine(call):
        call.close()
    raise WhqError(f"{example} takes a function and calls it itself, not its result: {type(call).__name__}.")


def _skip_unmeasured() -> NoReturn:
    pytest.skip("Nothing is measured: --whq-disable is set.")


async def _record_awaited(ledger: Ledger, meter: Meter, reply: Awaitable[Any]) -> Any:
    with _failing(ledger, meter):
        answer = await reply
    if meter.is_open:
        ledger.record(meter, answer)
    return answer
