"""What the ``whq`` fixture gives to a test."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, NoReturn, ParamSpec, Self, TypeVar, cast, overload

import pytest

from pytest_whq.calling.clients import instrumented, is_client
from pytest_whq.calling.load import load
from pytest_whq.calling.load_plan import LoadPlan
from pytest_whq.calling.recording import recording
from pytest_whq.calling.repeating import Steps, repeat, run, run_async
from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock, Waits, wait, wait_async
from pytest_whq.measuring.ledger import Ledger, unmeasured_ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import Measurement
from pytest_whq.queries.drained_stream import draining, reply_of
from pytest_whq.queries.followed_stream import is_stream
from pytest_whq.queries.request import asked_by

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")
Wrapped = TypeVar("Wrapped")


class Whq:
    """The fixture: one for each test. Without a ledger (``--whq-disable``) it runs and measures nothing."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._windows: set[Meter] = set()

    def __call__(
        self, call: Callable[Parameters, Reply], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Reply:
        """Call ``call(*args, **kwargs)`` until its energy is known well enough; returns the last reply.

        Where the call returns an awaitable, so does this. A reply that is a stream is read to its end,
        and what is returned is the list of its chunks. An error of the call passes through, and is
        counted as a failed query.
        """
        _check_callable(call, "whq(client.chat, ...)")
        ledger = self._ledger or unmeasured_ledger()
        clock, asked = ledger.clock, asked_by(call, args, kwargs)
        bound = draining(functools.partial(call, *args, **kwargs), clock.now, asked)
        if self._ledger is None:
            answer = bound()
        else:
            steps = repeat(ledger, ledger.instruments.meter(), asked)
            if inspect.iscoroutinefunction(call):
                return cast(Reply, _reply_of_async(steps, clock, bound))
            answer = run(steps, clock, bound)
        return cast(Reply, _reply_awaited(answer) if inspect.isawaitable(answer) else reply_of(answer))

    def load(
        self,
        call: Callable[[Any], Any],
        inputs: Iterable[Any],
        *,
        concurrency: int,
        rate: float | None = None,
        queries: int | None = None,
        seconds: float | None = None,
        seed: int = 0,
    ) -> Any:
        """Call ``call`` with each of ``inputs``, up to ``concurrency`` at once; returns the replies in order.

        With ``rate`` queries arrive at random, so many a second on average; ``seed`` fixes when. With
        ``queries`` or ``seconds`` (of steady state) inputs are sent again until then. An error stands in
        place of a reply that failed, the list of its chunks in place of a stream. Measured is the steady
        state; ramp-up and tail are told apart from it. Where ``call`` is a coroutine function or returns
        awaitables, so does this.
        """
        _check_callable(call, "whq.load(client.chat, ...)")
        plan = LoadPlan(concurrency, rate, queries, seconds, seed)
        return load(self._ledger or unmeasured_ledger(), call, inputs, plan)

    def measure(self) -> "Window":
        """A window of the test's own, for ``with whq.measure() as window`` or ``async with``."""
        window = Window(self._ledger)
        if window.meter is not None:
            self._windows.add(window.meter)
        return window

    def wrap(self, target: Wrapped, /) -> Wrapped:
        """``target``, a function or a client of OpenAI or Anthropic, that records what is made through it.

        Each reply, or failure, is a query of the window that is open then. Inside of ``whq(call)`` and
        ``whq.load``, whose own calls are the queries, nothing is recorded.
        """
        client = is_client(target)
        if not client:
            _check_callable(target, "whq.wrap(client.chat)")
        if self._ledger is None:
            return target
        record = functools.partial(recording, self._ledger, self._innermost_window)
        return cast(Wrapped, instrumented(target, record) if client else record(cast(Any, target)))

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
        A reply that is a stream is a query once it is read to its end: read what this returns.
        """
        if self._ledger is None or self.meter is None:
            return reply
        if not self.meter.is_open:
            raise WhqError("A query is recorded while its window is open: inside the with of whq.measure().")
        if not ok:
            self.meter.tally.fail()
            return reply
        reader, tally = self._ledger.reader, self.meter.tally
        if is_stream(reply):
            now = self._ledger.clock.now
            return reader.follow(
                reply, tally, now, now(), input_tokens=input_tokens, output_tokens=output_tokens
            )
        tally.count(reader.read(reply, input_tokens=input_tokens, output_tokens=output_tokens))
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
            wait(self._ledger.clock, self._open(self._ledger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            wait(self._ledger.clock, self._close(self._ledger, kind))

    async def __aenter__(self) -> Self:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._open(self._ledger))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._close(self._ledger, kind))

    def _open(self, ledger: Ledger) -> Waits[None]:
        assert self.meter is not None
        if self.meter.is_open or self.meter.spans:
            raise WhqError("A window opens once: call whq.measure() again for another one.")
        return _open(ledger, self.meter)

    async def _close(self, ledger: Ledger, kind: type[BaseException] | None) -> None:
        assert self.meter is not None
        if kind is not None and not issubclass(kind, _WAITED_FOR):
            ledger.abandon(self.meter)
        else:
            self._measurement = await ledger.close(self.meter)


_WAITED_FOR = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""Errors of a test; any other ends the session or the task, and must not be held up."""


async def _open(ledger: Ledger, meter: Meter) -> None:
    await ledger.open(meter)
    meter.begin()


def _check_callable(call: object, example: str) -> None:
    if callable(call):
        return
    if inspect.iscoroutine(call):
        call.close()
    raise WhqError(f"{example} takes a function and calls it itself, not its result: {type(call).__name__}.")


def _skip_unmeasured() -> NoReturn:
    pytest.skip("Nothing is measured: --whq-disable is set.")


async def _reply_of_async(steps: Steps, clock: Clock, call: Callable[[], Any]) -> Any:
    return reply_of(await run_async(steps, clock, call))


async def _reply_awaited(answer: Awaitable[Any]) -> Any:
    return reply_of(await answer)
