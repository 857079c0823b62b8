import asyncio
import threading
import time

import pytest
from patience import PATIENT_S

from pytest_whq.measuring.clock import RepeatingThread, SystemClock, pause, wait, wait_async
from pytest_whq.testing import FakeClock


class Turns:
    """A step that counts its turns and lets a test wait for them."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.threads: list[threading.Thread] = []
        self._turn = threading.Semaphore(0)

    def __call__(self) -> float:
        self.threads.append(threading.current_thread())
        self._turn.release()
        return self.pause_s

    def wait_for(self, turns: int) -> bool:
        return all(self._turn.acquire(timeout=PATIENT_S) for _ in range(turns))


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def test_the_system_clock_is_the_monotonic_one(clock: SystemClock) -> None:
    before_s = time.monotonic()
    clock.sleep(0.002)
    assert before_s + 0.002 <= clock.now() <= time.monotonic()


def test_a_step_repeats_in_a_thread_of_its_own_until_it_is_stopped(clock: SystemClock) -> None:
    turns = Turns(0.001)
    repeating = clock.repeat(turns)
    assert turns.wait_for(3)
    (thread,) = set(turns.threads)
    assert (thread.name, thread.daemon, repeating.alive) == ("pytest-whq sampler", True, True)
    repeating.stop()
    assert (thread.is_alive(), repeating.alive) == (False, False)
    done = len(turns.threads)
    time.sleep(0.01)
    assert len(turns.threads) == done


def test_waking_cuts_the_wait_short(clock: SystemClock) -> None:
    turns = Turns(3600)
    repeating = clock.repeat(turns)
    assert turns.wait_for(1)
    repeating.wake()
    assert turns.wait_for(1)
    repeating.stop()
    assert not repeating.alive


def test_a_step_that_is_wanted_now_is_made_by_the_thread_and_waited_for(clock: SystemClock) -> None:
    turns = Turns(3600)
    repeating = clock.repeat(turns)
    assert turns.wait_for(1)
    assert repeating.step_now(5)
    assert len(turns.threads) == 2
    assert turns.threads[1] is not threading.current_thread()
    repeating.stop()


def test_a_step_that_hangs_is_left_behind_after_half_a_second() -> None:
    hanging = threading.Event()

    def hang() -> float:
        hanging.wait()
        return 0.0

    repeating = RepeatingThread(hang)
    assert not repeating.step_now(0.01)
    began_s = time.monotonic()
    repeating.stop()
    assert 0.5 <= time.monotonic() - began_s < 10.0
    assert repeating.alive
    hanging.set()


async def overlapping(clock: SystemClock) -> list[str]:
    """What happens in which order while one of two tasks sleeps."""
    order = []

    async def other() -> None:
        order.append("other")

    task = asyncio.create_task(other())
    await clock.sleep_async(0.001)
    order.append("slept")
    await task
    return order


def test_other_tasks_of_asyncio_run_while_it_sleeps(clock: SystemClock) -> None:
    assert asyncio.run(overlapping(clock)) == ["other", "slept"]


def test_other_tasks_of_trio_run_while_it_sleeps(clock: SystemClock) -> None:
    trio = pytest.importorskip("trio")
    order = []

    async def other() -> None:
        order.append("other")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await clock.sleep_async(0.001)
            order.append("slept")

    trio.run(main)
    assert order == ["other", "slept"]


def test_asyncio_sleeps_where_trio_is_loaded_but_does_not_run(clock: SystemClock) -> None:
    pytest.importorskip("trio")
    assert asyncio.run(overlapping(clock)) == ["other", "slept"]


class Waiting:
    """A procedure that waits 1 and 2 s, and whether it came to its end."""

    def __init__(self) -> None:
        self.ended = False

    async def waits(self) -> str:
        try:
            await pause(1.0)
            await pause(2.0)
            return "waited"
        finally:
            self.ended = True


def test_a_procedure_waits_its_pauses_one_by_one_and_returns_what_it_does() -> None:
    clock = FakeClock(100.0)
    assert wait(clock, Waiting().waits()) == "waited"
    assert clock.now() == 103.0
    assert asyncio.run(wait_async(clock, Waiting().waits())) == "waited"
    assert clock.now() == 106.0


class Interrupted(FakeClock):
    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


def test_waits_that_are_interrupted_end_at_once() -> None:
    waiting = Waiting()
    with pytest.raises(KeyboardInterrupt) as caught:
        wait(Interrupted(), waiting.waits())
    assert waiting.ended
    # The traceback keeps the frames alive, so nothing has ended by being forgotten.
    assert caught.tb is not None


def test_async_waits_that_are_interrupted_end_at_once() -> None:
    waiting = Waiting()
    with pytest.raises(KeyboardInterrupt) as caught:
        asyncio.run(wait_async(Interrupted(), waiting.waits()))
    assert waiting.ended
    assert caught.tb is not None
