"""Time as an argument: everything that waits or takes the time does it through a Clock."""

import asyncio
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Protocol, TypeVar

from pytest_whq.real_time import now_s

Result = TypeVar("Result")

_LEFT_BEHIND_S = 0.5
"""A step that is stopped may go on for so long: more than a reading takes, and no longer than Ctrl-C may."""

_STOPPED_S = 1.0
"""Where `time.monotonic` is so far from the real time, a test has stopped it, and asyncio's timers too."""

Waits = Coroutine[float, None, Result]
"""A procedure that waits with `pause`, whoever runs it and however: `wait` blocks, `wait_async` does not.

A coroutine, so that mypy and Python itself complain where one is made that nobody runs.
"""


@types.coroutine
def pause(seconds: float) -> Generator[float, None, None]:
    """Wait, in a procedure that `wait` or `wait_async` runs."""
    yield seconds


class Repeating(Protocol):
    """A function that is called again and again until it is stopped."""

    def wake(self) -> None:
        """Cut the current wait short."""

    def step_now(self, longest_s: float) -> bool:
        """Have the function called once more, and wait for that; False where ``longest_s`` do not do."""

    def stop(self) -> None:
        """End it; returns when it no longer runs, or after half a second if it hangs."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""


class Clock(Protocol):
    """Where time comes from, in seconds on the clock of `time.monotonic`."""

    def now(self) -> float:
        """The time now."""

    def sleep(self, seconds: float) -> None:
        """Wait, blocking the thread."""

    async def sleep_async(self, seconds: float) -> None:
        """Wait, letting other tasks of the event loop run."""

    def repeat(self, step: Callable[[], float]) -> Repeating:
        """Call ``step`` beside the caller's code, each time after the seconds that it last returned."""


def wait(clock: Clock, waits: Waits[Result]) -> Result:
    """Run ``waits``, blocking, and return what it does; an interrupt ends it where it is."""
    with closing(waits):
        try:
            while True:
                clock.sleep(waits.send(None))
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


async def wait_async(clock: Clock, waits: Waits[Result]) -> Result:
    """`wait` that does not block the event loop; a cancellation ends ``waits`` where it is."""
    with closing(waits):
        try:
            while True:
                await clock.sleep_async(waits.send(None))
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


class SystemClock:
    """The real time, and threads."""

    now = staticmethod(now_s)
    sleep = staticmethod(time.sleep)

    async def sleep_async(self, seconds: float) -> None:
        """Wait on the event loop that runs, trio's or asyncio's."""
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            await trio.sleep(seconds)
        elif abs(time.monotonic() - now_s()) > _STOPPED_S:
            await asyncio.to_thread(self.sleep, seconds)
        else:
            await asyncio.sleep(seconds)

    def repeat(self, step: Callable[[], float]) -> "RepeatingThread":
        """Start a daemon thread that calls ``step``."""
        return RepeatingThread(step)


_in_place: Clock | None = None


def session_clock() -> Clock:
    """The clock that a session measures by: the real time, or what `measuring_by` has put in its place."""
    return SystemClock() if _in_place is None else _in_place


@contextmanager
def measuring_by(clock: Clock) -> Iterator[None]:
    """Sessions that open meanwhile measure by ``clock``: for tests."""
    global _in_place
    before, _in_place = _in_place, clock
    try:
        yield
    finally:
        _in_place = before


class RepeatingThread:
    """A thread that calls a function, waits as long as the function said, and calls it again."""

    def __init__(self, step: Callable[[], float]) -> None:
        self._step = step
        self._awake = threading.Event()
        self._wanted: deque[threading.Event] = deque()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="pytest-whq sampler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped:
            wanted = [self._wanted.popleft() for _ in range(len(self._wanted))]
            seconds = self._step()
            for done in wanted:
                done.set()
            if self._awake.wait(seconds):
                self._awake.clear()

    def wake(self) -> None:
        """Call the function now."""
        self._awake.set()

    def step_now(self, longest_s: float) -> bool:
        """Have the thread call the function once more: a call that hangs is not the caller's."""
        done = threading.Event()
        self._wanted.append(done)
        self._awake.set()
        return self.alive and done.wait(longest_s)

    def stop(self) -> None:
        """End the thread; a reading that hangs in the driver is left behind after half a second."""
        self._stopped = True
        self._awake.set()
        self._thread.join(timeout=_LEFT_BEHIND_S)

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()
