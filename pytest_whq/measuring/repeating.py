"""Repeats a call in rounds until its energy is known well enough."""

from collections.abc import Callable, Generator
from typing import Any, Final

from pytest_whq.measuring.clock import Clock, Waits
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.rounds import Plan, start_phase

CALL: Final = None
"""What `repeat` yields when it wants the call made and its reply sent back; else seconds to wait."""

Steps = Generator[float | None, Any, Any]


def repeat(
    plan: Plan,
    meter: Meter,
    clock: Clock,
    count: Callable[[Any], None],
    progress: Callable[[Meter], None],
) -> Steps:
    """Warm up, then run rounds as ``plan`` says; returns the last reply.

    It neither calls nor waits itself but yields what it wants done, so that one procedure serves plain
    functions and coroutine functions. Each reply goes to ``count``; after each round ``progress`` hears
    of it. An error of the call, thrown in, ends the measurement with a failed query and passes on.
    """
    reply = None
    for _ in range(plan.warmup):
        reply = yield CALL
    try:
        yield from meter.opening()
        rounds_s = 0.0
        started_s = clock.now()
        while plan.goes_on(len(meter.spans), clock.now() - started_s, rounds_s, meter.half_width95):
            yield from _next_start(meter, clock)
            round_s = clock.now()
            meter.begin()
            while True:
                reply = yield CALL
                count(reply)
                if clock.now() - round_s >= plan.round_s:
                    break
            meter.end()
            rounds_s = clock.now() - round_s
            progress(meter)
    except Exception:
        meter.fail()
        yield from meter.closing()
        raise
    except BaseException:
        meter.abandon()
        raise
    yield from meter.closing()
    return reply


def _next_start(meter: Meter, clock: Clock) -> Waits:
    """Wait for the phase of the sensor's refresh period at which the next round starts."""
    if meter.spans and (period_s := meter.refresh_s) is not None:
        since_first_s = clock.now() - meter.spans[0].start_s
        yield (start_phase(len(meter.spans)) * period_s - since_first_s) % period_s


def run(steps: Steps, clock: Clock, call: Callable[[], Any]) -> Any:
    """Carry out ``steps``, blocking; returns what they return."""
    try:
        step = next(steps)
        while True:
            try:
                answer = call() if step is CALL else clock.sleep(step)
            except BaseException as error:  # noqa: BLE001 - it is the procedure's to end on
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return done.value


async def run_async(steps: Steps, clock: Clock, call: Callable[[], Any]) -> Any:
    """Carry out ``steps`` on the event loop; ``call`` returns an awaitable."""
    try:
        step = next(steps)
        while True:
            try:
                answer = await call() if step is CALL else await clock.sleep_async(step)
            except BaseException as error:  # noqa: BLE001 - it is the procedure's to end on
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return done.value
