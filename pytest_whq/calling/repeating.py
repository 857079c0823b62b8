"""Repeats a call in rounds until its energy is known well enough."""

import asyncio
import inspect
import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final

from pytest_whq.calling.inputs import ASKS_NOTHING, Inputs
from pytest_whq.calling.progress import rounds_said
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter

CALL: Final = None
"""What `repeat` yields when it wants the call made and its reply sent back; else seconds to wait."""

_INTERRUPTS = (KeyboardInterrupt, asyncio.CancelledError)
"""Ctrl-C, as it reaches a function and a coroutine."""

Steps = Generator[float | None, Any, Any]


@types.coroutine
def repeat(ledger: Ledger, meter: Meter, inputs: Inputs = ASKS_NOTHING) -> Steps:
    """Measure a call with ``meter``, and again as long as the ledger suspects its figure; the last reply.

    For the rest see `_measure`.
    """
    __tracebackhide__ = True
    reply = yield from _measure(ledger, meter, inputs)
    while ledger.wants_another_attempt():
        reply = yield from _measure(ledger, ledger.instruments.meter(), inputs)
    return reply


@types.coroutine
def _measure(ledger: Ledger, meter: Meter, inputs: Inputs) -> Steps:
    """Warm up, then run rounds as the ledger's plan says; returns the last reply.

    It neither calls nor waits itself but yields what it wants done, so that one procedure serves plain
    functions and coroutine functions. ``inputs`` are drawn before each call. An error of the call, thrown
    in, ends the measurement with a failed query and passes on, one of drawing without; while warming up
    nothing is measured of it. An interrupt ends it at once, with the rounds done.
    """
    __tracebackhide__ = True
    plan, clock = ledger.plan, ledger.clock
    reply = None
    asked_before: set[int] = set()
    try:
        yield from meter.claim()
        for _ in range(plan.warmup):
            inputs.draw()
            if inputs.prompt is not None:
                asked_before.add(inputs.prompt)
            reply = yield CALL
        yield from ledger.open(meter)
    except BaseException:
        ledger.abandon(meter)
        raise
    try:
        started_s, round_s = clock.now(), 0.0
        while plan.goes_on(len(meter.spans), clock.now() - started_s, round_s, meter.half_width95):
            yield from meter.next_start()
            began_s = clock.now()
            meter.begin()
            meter.tally.inputs.add_before(asked_before)
            while True:
                inputs.draw()
                reply = yield CALL
                meter.tally.ask(inputs.prompt)
                meter.tally.count(ledger.reader.read(reply, asked=inputs.asked))
                if clock.now() - began_s >= plan.round_s:
                    break
            meter.end()
            round_s = clock.now() - began_s
            ledger.instruments.progress(partial(rounds_said, meter, plan, clock.now() - started_s))
            # Where the server refuses all, further rounds make no figure surer.
            if plan.rounds is None and not any(tally.queries for tally in meter.tallies):
                break
    except Exception as error:
        if meter.is_open and inputs.drawn:
            meter.tally.fail(type(error).__name__)
        yield from ledger.close(meter, repeated=True)
        raise
    except _INTERRUPTS:
        ledger.break_off(meter)
        raise
    except BaseException:
        ledger.abandon(meter)
        raise
    yield from ledger.close(meter, repeated=True)
    return reply


def run(steps: Steps, clock: Clock, call: Callable[[], Any]) -> Any:
    """Carry out ``steps``, blocking; returns what they return.

    Where ``call`` turns out to return an awaitable, returns a coroutine that goes on from there.
    """
    __tracebackhide__ = True
    thrown: BaseException | None = None
    try:
        step = next(steps)
        while True:
            answer = None
            try:
                if step is CALL:
                    answer = call()
                else:
                    clock.sleep(step)
            except BaseException as error:  # noqa: BLE001 - it is the procedure's to end on
                thrown = error
                step = steps.throw(error)
                continue
            if inspect.isawaitable(answer):
                return run_async(steps, clock, call, answer)
            step = steps.send(answer)
    except StopIteration as done:
        return done.value
    except RuntimeError as wrapped:
        # No generator can raise StopIteration: Python wraps that of the call.
        if thrown is not None and wrapped.__cause__ is thrown:
            raise thrown from None
        raise


async def run_async(
    steps: Steps, clock: Clock, call: Callable[[], Any], pending: Awaitable[Any] | None = None
) -> Any:
    """Carry out ``steps`` on the event loop; ``pending`` is what the last call for them has returned."""
    __tracebackhide__ = True
    try:
        step = CALL if pending is not None else next(steps)
        while True:
            answer = None
            try:
                if step is not CALL:
                    await clock.sleep_async(step)
                else:
                    awaitable, pending = (call() if pending is None else pending), None
                    answer = await awaitable
            except BaseException as error:  # noqa: BLE001 - it is the procedure's to end on
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return done.value
