"""Calls into a driver that hangs: nobody is held up by them for long."""

import signal
import threading
import time
from collections.abc import Iterator

import pytest
from patience import PATIENT_S

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.sources.bounded import BoundedCalls


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """What a call hangs on until it is set."""
    event = threading.Event()
    yield event
    event.set()


def _raise(error: BaseException) -> None:
    raise error


def test_a_call_that_ends_in_time_gives_what_it_returns_or_raises() -> None:
    calls = BoundedCalls("nvml")
    assert calls.call("open", lambda: 42) == 42
    with pytest.raises(SettingError, match="of its own"):
        calls.call("open", lambda: _raise(SettingError("of its own")))
    with pytest.raises(SourceError, match=r"^The power source nvml did not open: SystemExit\(7\)$"):
        calls.call("open", lambda: _raise(SystemExit(7)))
    assert calls.call("open", threading.current_thread) is not threading.current_thread()


def test_a_call_that_hangs_is_an_error_with_its_sentence_and_no_other_is_made(
    hanging: threading.Event,
) -> None:
    calls = BoundedCalls("nvml", 0.1)
    made: list[str] = []
    began_s = time.monotonic()
    for what, function in (("open", hanging.wait), ("close", lambda: made.append("close"))):
        with pytest.raises(SourceError) as raised:
            calls.call(what, function)
        assert str(raised.value) == (
            "The power source nvml did not open within 100 ms: its driver may hang. "
            "See the system's log, or let it take longer with --whq-driver-timeout."
        )
    assert (made, time.monotonic() - began_s < 10.0) == ([], True)


def test_once_a_call_has_ended_after_all_the_next_is_made(hanging: threading.Event) -> None:
    calls = BoundedCalls("nvml", 1.0)
    with pytest.raises(SourceError):
        calls.call("open", hanging.wait)
    hanging.set()
    while any(thread.name == "pytest-whq driver" for thread in threading.enumerate()):
        time.sleep(0.001)
    assert calls.call("open", lambda: 42) == 42


def test_what_is_opened_too_late_is_given_back(hanging: threading.Event) -> None:
    returned: list[object] = []
    back = threading.Event()

    def give_back(result: object) -> None:
        returned.append(result)
        back.set()

    with pytest.raises(SourceError):
        BoundedCalls("nvml", 0.05).call("open", hanging.wait, give_back)
    assert returned == []
    hanging.set()
    assert back.wait(PATIENT_S)
    assert returned == [True]


def test_an_interrupt_acts_at_once_and_what_still_hangs_is_not_asked_again(hanging: threading.Event) -> None:
    calls = BoundedCalls("nvml", 60.0)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        began_s = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            calls.call("open", hanging.wait)
        with pytest.raises(SourceError, match="did not open"):
            calls.call("close", lambda: None)
        assert time.monotonic() - began_s < 10.0
    finally:
        signal.signal(signal.SIGALRM, before)
