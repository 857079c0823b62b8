"""Sources of plugins that say, or do, anything: each fault is a SourceError that names the source."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_whq.errors import SourceError
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.plugin_source import PluginSource, checked
from pytest_whq.testing import FakeClock, ScriptedSource

NAN, HUGE = float("nan"), 1e300


class HostileError(Exception):
    def __repr__(self) -> str:
        raise SystemExit

    __str__ = __repr__


class Meter:
    """Answers each question with what it was made of; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def devices(self) -> Any:
        return self.answer("devices", (Device("0", "Meter"),))

    def read(self) -> Any:
        return self.answer("read", (Reading("0", 1.0, 2.0, 3.0),))

    def state(self) -> Any:
        return self.answer("state", (DeviceState("0"),))

    def close(self) -> Any:
        return self.answer("close", None)

    def answer(self, what: str, default: Any) -> Any:
        answer = self.answers.get(what, default)
        if isinstance(answer, BaseException):
            raise answer
        return answer


ASKED: dict[str, Callable[[PluginSource], object]] = {
    "devices": PluginSource.devices,
    "read": PluginSource.read,
    "state": PluginSource.state,
    "close": PluginSource.close,
}


def test_what_is_right_passes_unchanged() -> None:
    reading = Reading("0", 1, 2, None)
    source = checked("wall", lambda: Meter(read=[reading]))
    assert source.devices() == (Device("0", "Meter"),)
    (read,) = source.read()
    assert read is reading
    assert source.state() == (DeviceState("0"),)
    source.close()


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no bus"), "ValueError('no bus')"),
        (SystemExit(3), "SystemExit(3)"),
        (pytest.skip.Exception("not here"), "not here"),
        (pytest.exit.Exception("enough"), "Exit('enough')"),
        (HostileError(), "HostileError, which does not say more"),
        (ValueError("x" * 10**6), f"ValueError('{'x' * 285}..."),
        (
            SourceError("no bus", "no_bus"),  # type: ignore[arg-type]
            "SourceError('no bus'), with the unknown code 'no_bus'",
        ),
        (SourceError("no bus", ["mig"]), "SourceError('no bus'), with the unknown code ['mig']"),  # type: ignore[arg-type]
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_source_raises_is_an_error_of_that_source(
    what: str, error: BaseException, said: str
) -> None:
    source = checked("wall", lambda: Meter(**{what: error}))
    with pytest.raises(SourceError) as caught:
        ASKED[what](source)
    assert str(caught.value).startswith("The power source wall ")
    assert str(caught.value).endswith(f": {said}")
    assert caught.value.code == "source_error"


def test_ctrl_c_in_a_source_stays_one() -> None:
    with pytest.raises(KeyboardInterrupt):
        checked("wall", lambda: Meter(read=KeyboardInterrupt())).read()


@pytest.mark.parametrize(
    "reading",
    [
        None,
        (0, 1.0, 2.0, 3.0),
        Reading(0, 1.0, 2.0),  # type: ignore[arg-type]
        Reading("0", NAN, 2.0),
        Reading("0", HUGE, 2.0),
        Reading("0", 1.0, NAN),
        Reading("0", 1.0, HUGE),
        Reading("0", 1.0, float("inf")),
        Reading("0", 1.0, "2"),  # type: ignore[arg-type]
        Reading("0", 1.0, True),
        Reading("0", 1.0, None, NAN),
        Reading("0", 1.0, None, -HUGE),
        Reading("0", 1.0, None, 10**400),
        Reading("0", 1.0, None, 3j),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_reading_that_is_none_is_refused(reading: Any) -> None:
    with pytest.raises(SourceError, match=r"^The power source wall must give each reading as a Reading with"):
        checked("wall", lambda: Meter(read=[reading])).read()


@pytest.mark.parametrize("readings", [None, 5, object()])
def test_what_is_no_list_of_readings_is_refused(readings: object) -> None:
    with pytest.raises(SourceError, match=r"^The power source wall cannot be read: TypeError"):
        checked("wall", lambda: Meter(read=readings)).read()


@pytest.mark.parametrize(
    "device",
    [
        "0",
        Device(0, "Meter"),  # type: ignore[arg-type]
        Device("0", "Meter", "much"),  # type: ignore[arg-type]
        Device("0", "Meter", -1.0),
        Device("0", "Meter", NAN),
        Device("0", "Meter", role=5),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_device_that_a_record_could_not_hold_is_refused(device: Any) -> None:
    with pytest.raises(SourceError, match=r"^The power source wall must give each device as a Device with"):
        checked("wall", lambda: Meter(devices=[device])).devices()


@pytest.mark.parametrize(
    "state",
    [
        None,
        DeviceState("0", "warm"),  # type: ignore[arg-type]
        DeviceState("0", NAN),
        DeviceState("0", None, 5),  # type: ignore[arg-type]
        DeviceState("0", other_processes="1"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_state_that_is_none_is_left_out(state: Any) -> None:
    assert checked("wall", lambda: Meter(state=[state])).state() == ()


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("scope", 5),
        ("driver", b"580"),
        ("power_averaging_s", 5),
        ("power_averaging_s", {"0": -1.0}),
        ("power_averaging_s", {"0": NAN}),
        ("sensors", {"0": 5}),
    ],
)
def test_a_source_that_tells_of_itself_what_cannot_be_is_not_opened(fact: str, value: object) -> None:
    def make() -> Meter:
        meter = Meter()
        setattr(meter, fact, value)
        return meter

    with pytest.raises(SourceError, match=rf"^The power source wall (must give|does not tell) its {fact}"):
        checked("wall", make)


def test_what_a_source_says_of_its_joules_is_noted_and_an_error_of_it_costs_nothing() -> None:
    class Telling(ScriptedSource):
        def notes_since(self, start_s: float) -> tuple[str, ...]:
            if start_s < 0:
                raise RuntimeError("no")
            return (f"half of it since {start_s}",)

    clock = FakeClock()
    sampler = Sampler(checked("telling", lambda: Telling(clock)), clock)
    assert sampler.notes_since(3.0) == ("half of it since 3.0",)
    assert sampler.notes_since(-1.0) == ()
