import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.sources.zeus import ZeusSource
from pytest_whq.testing import FakeClock, measured_window


class ZeusSoCInitError(Exception):
    """What Zeus raises where there is no chip that it knows."""


@dataclass
class AppleSiliconMeasurement:
    """Millijoules, as zeus 0.16 names them."""

    cpu_total_mj: int | None = None
    efficiency_cores_mj: list[int] | None = None
    performance_cluster_mj: list[int] | None = None
    dram_mj: int | None = None
    gpu_mj: int | None = None
    gpu_sram_mj: int | None = None
    ane_mj: int | None = None


@dataclass
class JetsonMeasurement:
    cpu_energy_mj: float | None = None
    gpu_energy_mj: float | None = None
    total_energy_mj: float | None = None


@dataclass
class FakeSoc:
    """A chip whose sensors draw ``watts`` by name, in the clock's time."""

    clock: FakeClock
    kind: type[Any]
    watts: dict[str, float]
    also: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None

    def get_total_energy_consumption(self) -> Any:
        if self.error is not None:
            raise self.error
        since_s = self.clock.now() - 1000.0
        told = {name: round(watts * since_s * 1000) for name, watts in self.watts.items()}
        return self.kind(**told, **self.also)


Install = Callable[..., ZeusSource]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def opened(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Opens the source on a zeus that finds this chip."""

    def open_on(soc: FakeSoc | None, devices: str | None = None) -> ZeusSource:
        def get_soc() -> FakeSoc:
            if soc is None:
                raise ZeusSoCInitError("No observable SoC was found on the current machine.")
            return soc

        module = ModuleType("zeus.device.soc")
        vars(module).update(get_soc=get_soc, ZeusSoCInitError=ZeusSoCInitError)
        for name in ("zeus", "zeus.device"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, "zeus.device.soc", module)
        return ZeusSource(devices, clock.now)

    return open_on


def apple(clock: FakeClock, **watts: float) -> FakeSoc:
    also = {"efficiency_cores_mj": [1, 2], "performance_cluster_mj": [3], "gpu_sram_mj": 9}
    return FakeSoc(clock, AppleSiliconMeasurement, watts, also)


def jetson(clock: FakeClock, **watts: float) -> FakeSoc:
    return FakeSoc(clock, JetsonMeasurement, watts)


def why_not(opening: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        opening()
    return str(caught.value), caught.value.code


def test_apple_silicon_is_measured_by_what_it_tells_and_nothing_twice(
    opened: Install, clock: FakeClock
) -> None:
    source = opened(apple(clock, cpu_total_mj=6.0, gpu_mj=20.0, dram_mj=2.0))
    assert source.devices() == (
        Device("gpu", "Apple silicon GPU"),
        Device("cpu", "Apple silicon CPU"),
        Device("dram", "Apple silicon DRAM"),
    )
    assert (source.scope, source.sensors["gpu"]) == ("gpu+cpu+dram", ("energy counter",))
    clock.sleep(0.5)
    assert [(each.time_s, each.energy_j) for each in source.read()] == [
        (1000.5, 10.0),
        (1000.5, 3.0),
        (1000.5, 1.0),
    ]
    assert source.state()[0] == DeviceState("gpu")


def test_a_window_has_the_energy_of_each_part(opened: Install, clock: FakeClock) -> None:
    source = opened(apple(clock, cpu_total_mj=6.0, gpu_mj=20.0))
    measurement = measured_window(source, clock, lambda: clock.sleep(4.0), idle_ok=True)
    assert {device.id: device.energy_j for device in measurement.devices} == {
        "gpu": pytest.approx(80.0, rel=1e-3),
        "cpu": pytest.approx(24.0, rel=1e-3),
    }
    assert measurement.valid


def test_a_sensor_that_has_counted_nothing_yet_is_there(opened: Install, clock: FakeClock) -> None:
    source = opened(apple(clock, gpu_mj=0.0, ane_mj=0.0))
    assert [each.energy_j for each in source.read()] == [0.0, 0.0]


def test_of_a_jetson_the_whole_module_is_measured(opened: Install, clock: FakeClock) -> None:
    soc = jetson(clock, cpu_energy_mj=4.0, gpu_energy_mj=9.0, total_energy_mj=15.0)
    source = opened(soc)
    assert source.devices() == opened(soc, "all").devices() == (Device("total", "NVIDIA Jetson"),)
    assert (source.scope, source.sensors) == ("module", {"total": ("power, added up by Zeus",)})
    listed = ZeusSource.list_devices()
    assert [(each.device.id, each.why_not is None) for each in listed] == [
        ("total", True),
        ("gpu", False),
        ("cpu", False),
    ]
    assert listed[1].why_not == (
        "zeus: NVIDIA Jetson GPU (gpu) is in total already: it is measured only when --whq-devices names it."
    )


def test_parts_are_chosen_by_name_and_not_along_with_the_whole(opened: Install, clock: FakeClock) -> None:
    soc = jetson(clock, cpu_energy_mj=4.0, gpu_energy_mj=9.0, total_energy_mj=15.0)
    source = opened(soc, "cpu, gpu")
    assert (source.scope, [device.id for device in source.devices()]) == ("gpu+cpu", ["gpu", "cpu"])
    assert why_not(lambda: opened(soc, "total,gpu"))[0].startswith("zeus: total holds what else")
    for devices in ("npu", " , "):
        assert why_not(partial(opened, soc, devices))[0] == (
            f"zeus: --whq-devices cannot be {devices!r}. Zeus tells here of total, gpu, cpu."
        )


def test_what_a_jetson_does_not_tell_is_not_there(opened: Install, clock: FakeClock) -> None:
    assert opened(jetson(clock, gpu_energy_mj=9.0)).scope == "gpu"


def test_a_sensor_that_is_left_out_once_has_missed_a_reading(opened: Install, clock: FakeClock) -> None:
    soc = apple(clock, gpu_mj=20.0)
    source = opened(soc)
    soc.watts = {}
    assert source.read()[0].energy_j is None


def test_a_chip_that_tells_nothing_is_an_error(opened: Install, clock: FakeClock) -> None:
    sentence, code = why_not(lambda: opened(jetson(clock)))
    assert (sentence.startswith("zeus: Zeus tells no energy of this chip."), code) == (True, "source_error")


def test_what_zeus_raises_is_an_error_of_the_source(opened: Install, clock: FakeClock) -> None:
    soc = apple(clock, gpu_mj=20.0)
    source = opened(soc)
    soc.error = RuntimeError("IOReport is gone")
    sentence, code = why_not(source.read)
    assert sentence.startswith("zeus: the chip cannot be read: RuntimeError('IOReport is gone').")
    assert code == "source_error"


def test_a_machine_without_zeus_or_such_a_chip_has_no_source(
    opened: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence, code = why_not(lambda: opened(None))
    assert sentence.startswith("zeus: Zeus finds neither Apple silicon nor a Jetson here.")
    assert code == "no_source"
    monkeypatch.setitem(sys.modules, "zeus.device.soc", None)
    sentence, code = why_not(ZeusSource)
    assert sentence.startswith("zeus: the package zeus cannot be imported: ModuleNotFoundError(")
    assert sentence.endswith('Install it with: pip install "pytest-whq[zeus]"')
    assert code == "no_source"


def test_a_chip_that_hangs_holds_nobody_up(opened: Install, clock: FakeClock) -> None:
    class Hanging(FakeSoc):
        def get_total_energy_consumption(self) -> Any:
            if hangs.is_set():
                released.wait(30.0)
            return super().get_total_energy_consumption()

    hangs, released = threading.Event(), threading.Event()
    source = opened(Hanging(clock, AppleSiliconMeasurement, {"gpu_mj": 20.0}))
    hangs.set()
    try:
        sentence, _ = why_not(lambda: BoundedCalls("zeus", 0.05).call("answer", source.read))
    finally:
        released.set()
    assert sentence.startswith("The power source zeus did not answer within 50.0 ms: its driver may hang.")
