"""What the ``whq`` fixture gives to a test, and a session to a script."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NoReturn, ParamSpec, TypeVar, cast, overload

from pytest_whq.calling.clients import instrumented, is_client
from pytest_whq.calling.inputs import Inputs, Vary
from pytest_whq.calling.load import load
from pytest_whq.calling.load_plan import LoadPlan
from pytest_whq.calling.recording import recording
from pytest_whq.calling.repeating import Steps, repeat, run, run_async
from pytest_whq.calling.window import Window
from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.ledger import Ledger, unmeasured_ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import Measurement
from pytest_whq.queries.drained_stream import draining, reply_of

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")
Wrapped = TypeVar("Wrapped")


class Whq:
    """One for each test or script. Without a ledger it runs and measures nothing.

    A test has it from the fixture, where the option ``--whq-disable`` takes the ledger away; a script from
    `pytest_whq.session`.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        window: type[Window] = Window,
        without_ledger: Callable[[], NoReturn] | None = None,
    ) -> None:
        """``window`` is what `measure` opens; ``without_ledger`` is called for the figure of nothing."""
        self._ledger = ledger
        self._window = window
        self._without_ledger = without_ledger
        self._windows: set[Meter] = set()

    @overload
    def __call__(self, call: Callable[..., Reply], /, *args: Any, vary: Vary, **kwargs: Any) -> Reply: ...

    @overload
    def __call__(
        self, call: Callable[Parameters, Reply], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Reply: ...

    def __call__(
        self, call: Callable[..., Any], /, *args: Any, vary: Vary | None = None, **kwargs: Any
    ) -> Any:
        """Call ``call(*args, **kwargs)`` until its energy is known well enough; returns the last reply.

        With ``vary`` (a function, an iterator or a list) each call has an input of its own, after ``args``,
        so that no prompt cache answers. Where the call returns an awaitable, so does this. A reply that is a
        stream is read to its end, and what is returned is the list of its chunks. An error of the call
        passes through, and is counted as a failed query.
        """
        _check_callable(call, "whq(client.chat, ...)")
        ledger = self._ledger or unmeasured_ledger()
        clock, inputs = ledger.clock, Inputs(call, args, kwargs, vary)
        bound = draining(inputs.call, clock.now, inputs.asked)
        if self._ledger is None:
            inputs.draw()
            answer = bound()
        else:
            steps = repeat(ledger, ledger.meter(), inputs)
            if inspect.iscoroutinefunction(call):
                return _reply_of_async(steps, clock, bound)
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
        _check_callable(call, "whq.load(client.chat, ...)")
        plan = LoadPlan(concurrency, rate, queries, seconds, seed)
        return load(self._ledger or unmeasured_ledger(), call, inputs, plan)

    def measure(self) -> Window:
        """A window of the test's own, for ``with whq.measure() as window`` or ``async with``."""
        window = self._window(self._ledger)
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
        """What was measured so far: all closed windows together.

        With ``--whq-disable`` a test is skipped here: there is no figure to look at.
        """
        if self._ledger is None and self._without_ledger is not None:
            self._without_ledger()
        return (self._ledger or unmeasured_ledger()).measurement


def _check_callable(call: object, example: str) -> None:
    if callable(call):
        return
    if inspect.iscoroutine(call):
        call.close()
    raise WhqError(f"{example} takes a function and calls it itself, not its result: {type(call).__name__}.")


async def _reply_of_async(steps: Steps, clock: Clock, call: Callable[[], Any]) -> Any:
    return reply_of(await run_async(steps, clock, call))


async def _reply_awaited(answer: Awaitable[Any]) -> Any:
    return reply_of(await answer)
