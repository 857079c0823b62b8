"""What the ``whq`` fixture gives to a test."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self

import pytest

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clients import instrumented, is_client
from pytest_whq.measuring.clock import Waits, wait, wait_async
from pytest_whq.measuring.draining import draining, reply_of
from pytest_whq.measuring.jobs import LoadPlan
from pytest_whq.measuring.lanes import load
from pytest_whq.measuring.ledger import Ledger, unmeasured_ledger
from pytest_whq.measuring.query import output_limit
from pytest_whq.measuring.recording import recording
from pytest_whq.measuring.repeating import repeat, run, run_async
from pytest_whq.measuring.streams import is_stream
from pytest_whq.model import Measurement


class Whq:
    """The fixture: one for each test. Without a ledger (``--whq-disable``) it runs and measures nothing."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger

    def __call__(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call ``call(*args, **kwargs)`` until its energy is known well enough; returns the last reply.

        Where the call returns an awaitable, so does this. A reply that is a stream is read to its end,
        and what is returned is the list of its chunks. An error of the call passes through, and is
        counted as a failed query.
        """
        __tracebackhide__ = True
        bound: Callable[[], Any] = functools.partial(call, *args, **kwargs)
        if self._ledger is None:
            return bound()
        clock, limit = self._ledger.clock, output_limit(kwargs)
        steps = repeat(self._ledger, self._ledger.instruments.meter(), limit)
        bound = draining(bound, clock.now, limit)
        if inspect.iscoroutinefunction(call):
            return _reply_awaited(run_async(steps, clock, bound))
        answer = run(steps, clock, bound)
        return _reply_awaited(answer) if inspect.isawaitable(answer) else reply_of(answer)

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
        __tracebackhide__ = True
        ledger = self._ledger or unmeasured_ledger()
        return load(ledger, call, inputs, LoadPlan(concurrency, rate, queries, seconds, seed))

    def measure(self) -> "Window":
        """A window of the test's own, for ``with whq.measure() as window`` or ``async with``."""
        return Window(self._ledger)

    def wrap(self, target: Any, /) -> Any:
        """``target``, a function or a client of OpenAI or Anthropic, that records what is made through it.

        Each reply, or failure, is a query of the window that is open then.
        """
        if is_client(target):
            return instrumented(target, functools.partial(recording, self._ledger))
        return recording(self._ledger, target)

    @property
    def measurement(self) -> Measurement:
        """What this test has measured so far: all of its closed windows together."""
        if self._ledger is None:
            raise WhqError("Nothing is measured: --whq-disable is set.")
        return self._ledger.measurement


class Window:
    """One contiguous stretch of a test in which energy is measured and queries are recorded."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._meter = None if ledger is None else ledger.instruments.meter()
        self._measurement: Measurement | None = None

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
        if self._ledger is None or self._meter is None:
            return reply
        if not self._meter.is_open:
            raise WhqError("A query is recorded while its window is open: inside the with of whq.measure().")
        if not ok:
            self._ledger.record_failure(self._meter, NOT_OK)
        elif is_stream(reply):
            return self._ledger.follow(
                self._meter,
                reply,
                self._ledger.clock.now(),
                input_tokens=input_tokens,
                output_tokens=output_tokens,
            )
        else:
            self._ledger.record(self._meter, reply, input_tokens=input_tokens, output_tokens=output_tokens)
        return reply

    @property
    def measurement(self) -> Measurement:
        """What was measured, once the window is closed."""
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
        assert self._meter is not None
        if self._meter.is_open or self._meter.spans:
            raise WhqError("A window opens once: call whq.measure() again for another one.")
        yield from self._meter.claiming()
        yield from self._meter.opening()
        ledger.opened(self._meter)
        self._meter.begin()

    def _closing(self, ledger: Ledger, kind: type[BaseException] | None) -> Waits:
        assert self._meter is not None
        self._meter.end()
        ledger.closing(self._meter)
        if kind is not None and not issubclass(kind, _WAITED_FOR):
            self._meter.abandon()
            return
        yield from self._meter.closing()
        self._measurement = ledger.closed(self._meter)


NOT_OK = "not ok"
"""Kind of failure of a query that the test itself says has failed."""

_WAITED_FOR = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""Errors of a test; any other ends the session or the task, and must not be held up."""


async def _reply_awaited(answer: Awaitable[Any]) -> Any:
    __tracebackhide__ = True
    return reply_of(await answer)
