import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simulated_nvml import DRIVER_NOT_LOADED, SimulatedNvml

from pytest_whq.calibrating.measurable import Listing, Measurable, list_measurable, refresh_periods
from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock
from pytest_whq.model import Device, Reading
from pytest_whq.sources import standing_in
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.facts import ListedDevice
from pytest_whq.testing import FakeClock, ScriptedSource


@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.4])
def test_the_refresh_period_of_a_counter_is_learned(period_s: float) -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, period_s=period_s, phase_s=0.013)
    assert refresh_periods(source, clock) == {"SCRIPTED-0": pytest.approx(period_s, rel=0.02)}


class SteppingSource(ScriptedSource):
    """A power sensor that shows the next of these watts every 100 ms."""

    watts = (70, 80, 90, 90, 100, 110, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200)

    def read(self) -> tuple[Reading, ...]:
        step = int((self._clock.now() - 1000.0) / 0.1)
        return (Reading("SCRIPTED-0", self._clock.now(), power_w=self.watts[step]),)


def test_power_that_sometimes_stays_the_same_does_not_make_the_period_longer() -> None:
    clock = FakeClock()
    assert refresh_periods(SteppingSource(clock), clock) == {"SCRIPTED-0": pytest.approx(0.1, rel=0.02)}


def test_the_refresh_period_of_power_is_not_known_while_it_stays_the_same() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, counter=False)
    assert refresh_periods(source, clock) == {"SCRIPTED-0": None}


def test_gpus_and_the_estimate_are_listed_with_what_is_measured_by_default(
    simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu, estimate = list_measurable(SystemClock()).measurable
    assert (gpu.source, gpu.index, gpu.by_default) == ("nvml", 0, True)
    assert gpu.device.id == simulated_nvml.gpu(0).uuid
    assert gpu.sensors == ("energy counter", "instant power")
    assert gpu.refresh_s == pytest.approx(0.1, rel=0.1)
    assert (estimate.source, estimate.index, estimate.by_default) == ("estimate", None, False)


def test_what_cuda_does_not_see_is_listed_and_not_measured_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SimulatedNvml(gpus=2) as nvml:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", nvml.gpu(1).uuid)
        listing = list_measurable(SystemClock())
    assert [(m.index, m.by_default) for m in listing.measurable] == [(0, False), (1, True), (None, False)]
    assert listing.problems == ()


def test_a_gpu_in_mig_mode_is_a_problem_that_keeps_the_default_from_working(
    simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu = simulated_nvml.gpu(0).configure(mig_mode=1)
    listing = list_measurable(SystemClock())
    assert [(m.source, m.by_default) for m in listing.measurable] == [("estimate", False)]
    assert listing.problems == (
        (
            f"nvml: GPU 0 ({gpu.uuid}) is in MIG mode: it is measured only as a whole, "
            "when --whq-devices names it."
        ),
        "rapl: nothing here.",
        "hwmon: nothing here.",
        "amdsmi: nothing here.",
        "zeus: nothing here.",
        (
            f"nvml: GPU 0 ({gpu.uuid}) is in MIG mode, where only the whole board's power can be read. "
            "Turn MIG off, or measure all of its instances together with --whq-devices."
        ),
    )


def test_a_machine_without_a_driver_has_the_estimate() -> None:
    with SimulatedNvml() as nvml:
        nvml.fail_init(DRIVER_NOT_LOADED)
        listing = list_measurable(SystemClock())
    assert [(m.source, m.by_default) for m in listing.measurable] == [("estimate", True)]
    assert listing.problems == (
        (
            "nvml: driver not loaded. Load the NVIDIA driver until nvidia-smi works, "
            "or choose another --whq-source."
        ),
        "rapl: nothing here.",
        "hwmon: nothing here.",
        "amdsmi: nothing here.",
        "zeus: nothing here.",
    )


class Wall(ScriptedSource):
    """A meter that says nothing of itself beside its readings."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, power=False, device=Device("WALL-0", "Wall meter"))
        self.power_averaging_s = {}


@pytest.fixture
def no_gpu() -> Iterator[None]:
    def refuse(devices: str | None) -> PowerSource:
        raise SourceError("nvml: there is no NVIDIA driver.", "no_source")

    with standing_in({"nvml": refuse}):
        yield


def listed_on(clock: FakeClock, **offers: Callable[[], PowerSource]) -> Listing:
    """What is listed of ``offers``, which stand after what is built in."""
    listing = list_measurable(clock, offers)
    assert [one.source for one in listing.measurable][:1] == ["estimate"]
    return Listing(listing.measurable[1:], listing.problems)


@pytest.mark.usefixtures("no_gpu")
def test_a_plugins_source_is_listed_with_what_its_readings_show() -> None:
    clock = FakeClock()
    sources = [Wall(clock)]
    listing = listed_on(clock, wall=lambda: sources[0])
    (wall,) = listing.measurable
    assert wall == Measurable(
        "wall", Device("WALL-0", "Wall meter"), ("energy counter",), None, wall.refresh_s, driver="scripted"
    )
    assert wall.refresh_s == pytest.approx(0.1, rel=0.02)
    assert listing.problems == ()
    assert sources[0].closed


@pytest.mark.usefixtures("no_gpu")
def test_whatever_the_table_of_sources_names_is_listed() -> None:
    clock = FakeClock()
    with standing_in({"rapl": lambda devices: Wall(clock)}):
        rapl, _estimate = list_measurable(clock).measurable
    assert (rapl.source, rapl.device.id, rapl.by_default) == ("rapl", "WALL-0", True)


@pytest.mark.usefixtures("no_gpu")
def test_a_source_that_names_its_sensors_is_listed_with_their_names() -> None:
    clock = FakeClock()
    source = Wall(clock)
    vars(source)["sensors"] = {"WALL-0": ("plug", "clamp")}
    (wall,) = listed_on(clock, wall=lambda: source).measurable
    assert wall.sensors == ("plug", "clamp")


@pytest.mark.usefixtures("no_gpu")
def test_a_sensor_of_what_is_estimated_is_not_watched() -> None:
    clock = FakeClock()
    source = Wall(clock)
    vars(source)["estimated"] = True
    (wall,) = listed_on(clock, wall=lambda: source).measurable
    assert (wall.refresh_s, clock.now()) == (None, 1000.0)


class Racks(Wall):
    """Lists two devices of which one is broken, with numbers of its own."""

    clock = FakeClock()

    def __init__(self) -> None:
        super().__init__(self.clock)

    @staticmethod
    def list_devices() -> tuple[ListedDevice, ...]:
        broken = ListedDevice(Device("WALL-1", "Wall meter"), 8, "racks: WALL-1 is broken. Mend it.")
        return (ListedDevice(Device("WALL-0", "Wall meter"), 7), broken)


class Broken(Racks):
    @staticmethod
    def list_devices() -> tuple[ListedDevice, ...]:
        return Racks.list_devices()[1:]

    def __init__(self) -> None:
        raise AssertionError("it was opened")


@pytest.mark.usefixtures("no_gpu")
def test_a_source_class_lists_what_it_cannot_measure_too() -> None:
    listing = listed_on(Racks.clock, racks=Racks, broken=Broken)
    assert [(one.source, one.index, one.device.id) for one in listing.measurable] == [("racks", 7, "WALL-0")]
    assert listing.problems == ("racks: WALL-1 is broken. Mend it.",) * 2


class Mute(Wall):
    def read(self) -> tuple[Reading, ...]:
        raise ValueError("no bus")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Mute, "The power source wall cannot be read: ValueError('no bus')"),
        (dict, "The power source wall cannot be opened: TypeError(\"'FakeClock' object is not iterable\")"),
    ],
)
def test_a_plugins_source_that_fails_is_a_problem_beside_the_others(kind: Any, problem: str) -> None:
    clock = FakeClock()
    listing = listed_on(clock, wall=lambda: kind(clock), other=lambda: Wall(clock))
    assert [one.source for one in listing.measurable] == ["other"]
    assert listing.problems == (problem,)


def test_a_source_that_hangs_is_a_problem_and_keeps_no_other_from_being_listed(no_gpu: None) -> None:
    hung = threading.Event()

    class Hanging(ScriptedSource):
        def read(self) -> tuple[Reading, ...]:
            hung.wait(30)
            return ()

    started_s = time.monotonic()
    listing = list_measurable(SystemClock(), {"wall": lambda: Hanging(FakeClock())}, limit_s=0.1)
    hung.set()
    assert time.monotonic() - started_s < 10
    assert [(one.source, one.by_default) for one in listing.measurable] == [("estimate", True)]
    [problem] = [problem for problem in listing.problems if "wall" in problem]
    assert problem == (
        "The power source wall did not answer within 1.6 s: its driver may hang. "
        "See the system's log, or let it take longer with --driver-timeout."
    )


def test_a_driver_that_hangs_is_asked_once_and_nothing_is_the_default() -> None:
    hung, asked = threading.Event(), []

    def hang(devices: str | None) -> PowerSource:
        asked.append(devices)
        hung.wait(30)
        raise SourceError("too late")

    with standing_in({"nvml": hang}):
        listing = list_measurable(SystemClock(), limit_s=0.1)
    hung.set()
    assert len(asked) == 1
    assert not any(one.by_default for one in listing.measurable)
    assert "The power source nvml did not answer within 1.6 s" in listing.problems[0]
