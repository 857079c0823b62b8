"""Carries out a load: threads for functions, tasks for coroutine functions, one for each query in flight."""

import asyncio
import inspect
import sys
import threading
import types
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any

from pytest_whq.calling.load_plan import Jobs, LoadPlan
from pytest_whq.calling.steady_state import LoadRun
from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import wait, wait_async
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.queries.drained_stream import drain, drain_async
from pytest_whq.queries.followed_stream import is_async_stream
from pytest_whq.real_time import now_s

Call = Callable[[Any], Any]

_LEAVING_S = 0.3
"""How long a load that is broken off waits for queries in flight."""

_LOOK_S = 0.5
"""So often the main thread tells how far the load is."""

_NAP_S = 0.1
"""A thread that waits for its query to arrive looks this often whether the load was broken off."""


def load(ledger: Ledger, call: Call, inputs: Iterable[Any], plan: LoadPlan) -> Any:
    """Call ``call`` with each of ``inputs`` as ``plan`` says, and measure; returns the replies.

    Where ``call`` returns awaitables or async iterators, returns a coroutine that does so.
    """
    __tracebackhide__ = True
    run = LoadRun(ledger, plan, Jobs(inputs, plan), call)
    if _is_async(call):
        return _in_tasks(run, call)
    return _in_threads(run, call)


def _is_async(call: Call) -> bool:
    # Clients hide a coroutine function behind a plain wrapper, but leave a trace to it.
    candidates = (call, inspect.unwrap(call), type(call).__call__)
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in candidates)


def _in_threads(run: LoadRun, call: Call) -> Any:
    __tracebackhide__ = True
    try:
        wait(run.clock, run.meter.claim())
        for done in range(run.ledger.plan.warmup):
            try:
                answer = call(run.jobs.first)
                if hasattr(answer, "__await__") or is_async_stream(answer):
                    return _in_tasks(run, call, answer, done)
                _drained(answer, run, 0.0)
            except Exception:  # noqa: BLE001 - what fails now fails in the load, and is counted there
                continue
        wait(run.clock, run.open())
    except BaseException:
        run.ledger.abandon(run.meter)
        raise
    threads = [
        threading.Thread(target=_lane, args=(run, call), name=f"pytest-whq load {number}", daemon=True)
        for number in range(run.plan.concurrency)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK_S)
                run.tell()
    except BaseException as error:  # noqa: BLE001 - raised again below, once what ran is measured
        run.break_off(error)
        until_s = now_s() + _LEAVING_S
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, until_s - now_s()))
    wait(run.clock, run.close())
    if run.error is not None:
        raise run.error
    return run.replies


def _lane(run: LoadRun, call: Call) -> None:
    first = True
    try:
        while (job := run.take()) is not None:
            while job.due_s and (wait_s := run.wait_s(job)) > 0 and not run.stopped:
                run.clock.sleep(min(wait_s, _NAP_S))
            started_s, first = run.begin(job, first=first), False
            try:
                answer = _drained(call(job.item), run, started_s)
            except WhqError:
                raise
            except Exception as error:  # noqa: BLE001 - counted by its kind
                run.fail(job, error)
            else:
                run.succeed(job, answer, started_s)
    except BaseException as error:  # noqa: BLE001 - the main thread raises it
        run.break_off(error)


def _drained(answer: Any, run: LoadRun, started_s: float) -> Any:
    if hasattr(answer, "__await__") or is_async_stream(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise WhqError(
            "whq.load: the call returns something to await, though it is no coroutine function: pass one, "
            "or warm up with at least one call, so that this is known before the threads start."
        )
    return drain(answer, run.clock.now, started_s)


async def _in_tasks(run: LoadRun, call: Call, pending: Any = None, done: int = 0) -> Any:
    """``pending`` is what a warm-up call, after ``done`` others, has returned."""
    __tracebackhide__ = True
    try:
        if pending is None:
            await wait_async(run.clock, run.meter.claim())
        for _ in range(done, run.ledger.plan.warmup):
            try:
                reply, pending = call(run.jobs.first) if pending is None else pending, None
                answer = await reply if hasattr(reply, "__await__") else reply
                if answer is not reply or is_async_stream(answer):
                    await drain_async(answer, run.clock.now, 0.0)
            except Exception:  # noqa: BLE001 - as above
                continue
        await wait_async(run.clock, run.open())
    except BaseException:
        run.ledger.abandon(run.meter)
        raise
    try:
        await _run_lanes(run, call)
    except BaseException as error:
        run.break_off(error)
        # Blocking, since a task that is cancelled may not wait on its loop.
        wait(run.clock, run.close())
        raise
    await wait_async(run.clock, run.close())
    return run.replies


async def _run_lanes(run: LoadRun, call: Call) -> None:
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        async with trio.open_nursery() as nursery:
            for _ in range(run.plan.concurrency):
                nursery.start_soon(_lane_async, run, call, trio.lowlevel.checkpoint)
        return
    lanes = [asyncio.ensure_future(_lane_async(run, call, _turn)) for _ in range(run.plan.concurrency)]
    try:
        finished, _ = await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
        for lane in finished:
            lane.result()
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.wait(lanes, timeout=_LEAVING_S)


async def _lane_async(run: LoadRun, call: Call, turn: Callable[[], Awaitable[None]]) -> None:
    first = True
    while (job := run.take()) is not None:
        if job.due_s and (wait_s := run.wait_s(job)) > 0:
            await run.clock.sleep_async(wait_s)
        started_s, first = run.begin(job, first=first), False
        try:
            answer = reply = call(job.item)
            if hasattr(reply, "__await__"):
                answer = await reply
            # One that is its own answer has come as a whole, though it could be read in chunks.
            if answer is not None and (answer is not reply or is_async_stream(answer)):
                answer = await drain_async(answer, run.clock.now, started_s)
        except asyncio.CancelledError as error:
            # The call's own, unless somebody asks the lane to stop.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            run.fail(job, error)
        except Exception as error:  # noqa: BLE001 - counted by its kind
            run.fail(job, error)
        else:
            run.succeed(job, answer, started_s)
        run.tell()
        # A call that never waits must not keep the other lanes from running.
        await turn()


@types.coroutine
def _turn() -> Generator[None, None, None]:
    """What ``asyncio.sleep(0)`` does, in half the time."""
    yield
