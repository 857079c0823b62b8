"""A power source that hangs, or whose reading thread dies: noticed soon, named, and survived."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_whq.calling.repeating import repeat, run
from pytest_whq.measuring.clock import Clock, SystemClock, wait
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, DeviceState, Measurement, Reading, Reason, TokenCount

HANGS = "the power source has not answered for 2.0 s; its driver may hang"


class _ThreadEndsError(BaseException):
    """What no source's own code raises: it ends the thread that reads."""


class HangingSource:
    """Draws 100 W by a counter of 20 ms; while ``hangs`` is set, whoever asks it waits."""

    def __init__(self) -> None:
        self.hangs = False
        self._answers = threading.Event()
        self.kills_its_thread = False
        self.gives: Any = None

    def devices(self) -> tuple[Device, ...]:
        return (Device("GPU-1", "GPU 1"),)

    def read(self) -> tuple[Reading, ...]:
        self._wait()
        if self.kills_its_thread and threading.current_thread() is not threading.main_thread():
            raise _ThreadEndsError
        if self.gives is not None:
            return self.gives  # type: ignore[no-any-return]
        now_s = time.monotonic()
        return (Reading("GPU-1", now_s, energy_j=100 * math.floor(now_s / 0.02) * 0.02),)

    def state(self) -> tuple[DeviceState, ...]:
        self._wait()
        return (DeviceState("GPU-1"),)

    def close(self) -> None:
        pass

    def hang(self) -> None:
        self._answers.clear()
        self.hangs = True

    def answer(self) -> None:
        """Answer whoever waits, and let the thread that was left behind end."""
        self.hangs = False
        self._answers.set()
        for thread in threading.enumerate():
            if thread.name == "pytest-whq sampler":
                thread.join(5.0)

    def _wait(self) -> None:
        if self.hangs:
            self._answers.wait()


class OneSource(Instruments):
    """Those of a session on one source."""

    def __init__(self, source: HangingSource) -> None:
        self.clock: Clock = SystemClock()
        self._sampler = Sampler(source, self.clock)

    def meter(self) -> Meter:
        return Meter(self.clock, self._sampler)

    def progress(self, said: Callable[[], str], *, often: bool = False) -> None:
        said()


@pytest.fixture
def source() -> Iterator[HangingSource]:
    source = HangingSource()
    yield source
    source.answer()


def measured(instruments: Instruments, trouble: Callable[[], None] = lambda: None) -> Measurement:
    """A window of 0.2 s; ``trouble`` begins in its middle."""
    meter = instruments.meter()
    wait(instruments.clock, meter.open())
    meter.begin()
    time.sleep(0.1)
    trouble()
    time.sleep(0.1)
    meter.tally.succeed(TokenCount(10, 10))
    meter.end()
    wait(instruments.clock, meter.close())
    return meter.measurement(precision=0.5, idle_ok=True)


def is_read(measurement: Measurement) -> bool:
    """Whether a source answered as a thread asked it; a busy machine may let the thread ask too seldom."""
    return {reason.code for reason in measurement.reasons} <= {"window_too_short", "imprecise"}


def whole_reasons(measurement: Measurement) -> tuple[Reason, ...]:
    assert measurement.energy_j is None
    return measurement.reasons


@pytest.mark.once
def test_a_source_that_hangs_in_a_window_is_named_and_the_next_window_measures_again(
    source: HangingSource,
) -> None:
    instruments = OneSource(source)
    started_s = time.monotonic()
    assert whole_reasons(measured(instruments, source.hang)) == (Reason("source_error", HANGS),)
    assert time.monotonic() - started_s < 30.0
    source.answer()
    after = measured(instruments)
    assert is_read(after)
    assert after.energy_j in (None, pytest.approx(100 * (after.duration_s or 0.0), rel=0.1))


@pytest.mark.once
def test_windows_on_a_source_that_still_hangs_are_named_too(source: HangingSource) -> None:
    instruments = OneSource(source)
    measured(instruments, source.hang)
    started_s = time.monotonic()
    assert whole_reasons(measured(instruments))[0].code == "source_error"
    assert time.monotonic() - started_s < 30.0


@pytest.mark.once
def test_a_source_that_hangs_between_rounds_does_not_hold_the_rounds_up(source: HangingSource) -> None:
    instruments = OneSource(source)
    ledger = Ledger(instruments, Plan(min_seconds=0.0, max_seconds=3.0))
    calls: list[None] = []

    def call() -> None:
        calls.append(None)
        if len(calls) == 40:
            source.hang()
        time.sleep(0.05)

    started_s = time.monotonic()
    run(repeat(ledger, ledger.instruments.meter()), instruments.clock, call)
    assert time.monotonic() - started_s < 60.0
    assert whole_reasons(ledger.measurement)[0].code == "source_error"


@pytest.mark.parametrize(
    ("gives", "error"),
    [
        (7, "TypeError(\"'int' object is not iterable\")"),
        (("GPU-1",), "AttributeError(\"'str' object has no attribute 'device_id'\")"),
    ],
)
def test_a_source_that_gives_no_readings_is_named(source: HangingSource, gives: object, error: str) -> None:
    source.gives = gives
    failed = Reason("source_error", f"the power source failed: {error}")
    assert whole_reasons(measured(OneSource(source))) == (failed,)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_named_and_the_next_window_has_a_new_one(source: HangingSource) -> None:
    instruments = OneSource(source)

    def die() -> None:
        source.kills_its_thread = True

    dead = Reason("source_error", "the thread that reads the power source has died")
    assert whole_reasons(measured(instruments, die)) == (dead,)
    source.kills_its_thread = False
    assert is_read(measured(instruments))
