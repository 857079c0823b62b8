import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from amdsmi_fake import AmdSmiException, AmdSmiLibraryException, AmdSmiRetryException, FakeGpu, fake_amdsmi

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState
from pytest_whq.sources.amdsmi.source import AmdsmiSource
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.testing import FakeClock, measured_window

Install = Callable[..., AmdsmiSource]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def opened(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Opens the source on a module with these GPUs."""
    for name in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)

    def open_on(*gpus: FakeGpu, devices: str | None = None, fails: Any = None) -> AmdsmiSource:
        monkeypatch.setitem(sys.modules, "amdsmi", fake_amdsmi(list(gpus), fails))
        return AmdsmiSource(devices, clock.now, clock.sleep)

    return open_on


def why_not(opening: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        opening()
    return str(caught.value), caught.value.code


@pytest.mark.parametrize("key", ["energy_accumulator", "power"])
def test_a_gpu_is_measured_by_its_counter_by_either_name(opened: Install, clock: FakeClock, key: str) -> None:
    source = opened(FakeGpu(clock, key=key))
    assert source.devices() == (Device("GPU-0", "AMD Instinct MI300X", 750.0),)
    (reading,) = source.read()
    assert reading.energy_j == pytest.approx(305.0 * reading.time_s, abs=1e-4)
    assert (reading.time_s, reading.power_w) == (clock.now(), 305)
    assert source.sensors == {"GPU-0": ("energy counter", "instant power")}
    assert (source.scope, source.driver) == ("gpu", "6.12.12")


def test_a_window_has_the_energy_of_its_gpus(opened: Install, clock: FakeClock) -> None:
    source = opened(FakeGpu(clock), FakeGpu(clock, "GPU-1", "0000:c6:00.0", watts=610.0, powers={}))
    measurement = measured_window(source, clock, lambda: clock.sleep(2.0), idle_ok=True)
    assert {device.id: device.energy_j for device in measurement.devices} == {
        "GPU-0": pytest.approx(610.0, rel=1e-4),
        "GPU-1": pytest.approx(1220.0, rel=1e-4),
    }
    assert measurement.valid


def test_a_counter_that_steps_back_once_has_missed_a_reading(opened: Install, clock: FakeClock) -> None:
    back_s = clock.now() + 3.0
    stepped: list[float] = []

    def step_back_once(now_s: float) -> float:
        if now_s < back_s or stepped:
            return 0.0
        stepped.append(now_s)
        return -200e3

    source = opened(FakeGpu(clock, steps=step_back_once))
    measurement = measured_window(source, clock, lambda: clock.sleep(5.0), idle_ok=True)
    assert len(stepped) == 1
    assert measurement.valid
    assert measurement.energy_j == pytest.approx(1525.0, rel=1e-4)


def test_a_counter_that_was_reset_makes_the_window_invalid(opened: Install, clock: FakeClock) -> None:
    reset_s = clock.now() + 3.0
    source = opened(FakeGpu(clock, steps=lambda now_s: -305e3 if now_s >= reset_s else 0.0))
    measurement = measured_window(source, clock, lambda: clock.sleep(5.0), idle_ok=True)
    assert not measurement.valid
    assert "counter_reset" in [reason.code for reason in measurement.reasons]


@pytest.mark.parametrize(
    ("powers", "sensor", "watts"),
    [
        ({"current_socket_power": 65535, "average_socket_power": 90}, "average power", 90),
        ({"socket_power": 91, "average_socket_power": 90}, "power", 91),
        ({"current_socket_power": 92, "socket_power": 91}, "instant power", 92),
    ],
)
def test_without_a_counter_that_moves_it_is_measured_by_power(
    opened: Install, clock: FakeClock, powers: dict[str, Any], sensor: str, watts: float
) -> None:
    still = {"energy_accumulator": 65535, "counter_resolution": 15.25}
    source = opened(FakeGpu(clock, powers=powers, told={"energy_count": still}))
    assert source.sensors == {"GPU-0": (sensor,)}
    (reading,) = source.read()
    assert (reading.energy_j, reading.power_w) == (None, watts)


def test_an_average_over_an_unknown_time_does_not_check_the_counter(
    opened: Install, clock: FakeClock
) -> None:
    source = opened(FakeGpu(clock, powers={"average_socket_power": 90}))
    assert source.sensors == {"GPU-0": ("energy counter",)}
    assert source.read()[0].power_w is None


def test_a_second_die_that_tells_nothing_is_named_and_not_measured(opened: Install, clock: FakeClock) -> None:
    second = FakeGpu(clock, "GPU-1", "0000:c6:00.0", counts=False, powers={"current_socket_power": 0})
    second.errors["power_cap_info"] = AmdSmiLibraryException(2)
    assert opened(FakeGpu(clock), second).sensors.keys() == {"GPU-0"}
    assert opened(FakeGpu(clock), second, devices="all").sensors.keys() == {"GPU-0"}
    sentence = (
        "amdsmi: AMD Instinct MI300X (GPU-1) tells neither energy nor power, or always 0. "
        "Update its driver, or measure the board that it is a part of."
    )
    listed = AmdsmiSource.list_devices(clock.sleep)
    assert [(each.index, each.device.power_limit_w, each.why_not) for each in listed] == [
        (0, 750.0, None),
        (1, None, sentence),
    ]
    assert why_not(lambda: opened(FakeGpu(clock), second, devices="1")) == (sentence, "source_error")
    assert why_not(lambda: opened(second)) == (sentence, "source_error")


def test_partitions_that_repeat_the_board_are_measured_once(opened: Install, clock: FakeClock) -> None:
    gpus = [FakeGpu(clock, bdf=f"0000:c1:00.{number}") for number in range(3)]
    assert opened(*gpus).sensors.keys() == {"GPU-0"}
    listed = AmdsmiSource.list_devices(clock.sleep)
    assert [each.device.id for each in listed] == ["GPU-0", "0000:c1:00.1", "0000:c1:00.2"]
    assert listed[1].why_not == (
        "amdsmi: AMD Instinct MI300X (0000:c1:00.1) is a part of the board of GPU-0, which is measured whole."
    )


def test_gpus_are_chosen_by_index_or_uuid(opened: Install, clock: FakeClock) -> None:
    gpus = [FakeGpu(clock), FakeGpu(clock, "GPU-1", "0000:c6:00.0")]
    assert opened(*gpus, devices="GPU-1, 1").sensors.keys() == {"GPU-1"}
    assert opened(*gpus, devices="0,1").sensors.keys() == {"GPU-0", "GPU-1"}
    assert why_not(lambda: opened(*gpus, devices="2"))[0] == (
        "amdsmi: there is no GPU 2. Choose with --whq-devices from what `whq devices` lists."
    )
    assert why_not(lambda: opened(*gpus, devices=" , "))[0].startswith("amdsmi: --whq-devices names no GPU.")


def test_numbers_of_another_order_are_not_followed_and_not_passed_over(
    opened: Install, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus = [FakeGpu(clock), FakeGpu(clock, "GPU-1", "0000:c6:00.0")]
    opened(gpus[0])
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    assert why_not(lambda: opened(*gpus))[0].startswith("amdsmi: HIP_VISIBLE_DEVICES leaves some of the GPUs")
    assert opened(*gpus, devices="all").sensors.keys() == {"GPU-0", "GPU-1"}
    assert opened(gpus[0]).sensors.keys() == {"GPU-0"}


def test_a_busy_gpu_has_missed_a_reading_and_a_lost_one_is_named(opened: Install, clock: FakeClock) -> None:
    gpu = FakeGpu(clock)
    source = opened(gpu)
    gpu.errors["energy_count"] = AmdSmiRetryException(30)
    (reading,) = source.read()
    assert (reading.energy_j, reading.power_w) == (None, 305)
    gpu.errors["energy_count"] = AmdSmiLibraryException(31)
    sentence, code = why_not(source.read)
    assert sentence.startswith("amdsmi: AMD Instinct MI300X (GPU-0) cannot be read: Error code: 31 | AMDSMI")
    assert code == "source_error"


@pytest.mark.parametrize(("told", "celsius"), [(47, 47.0), (47_500, 47.5), ("N/A", None)])
def test_degrees_are_told_whole_or_by_the_thousandth(
    opened: Install, clock: FakeClock, told: object, celsius: float | None
) -> None:
    source = opened(FakeGpu(clock, told={"temp_metric": told}))
    assert source.state() == (DeviceState("GPU-0", celsius),)


def test_what_is_not_told_of_a_gpu_stays_unknown(opened: Install, clock: FakeClock) -> None:
    gpu = FakeGpu(clock, uuid="N/A", told={"gpu_asic_info": {"market_name": "N/A"}})
    gpu.errors = {name: AmdSmiException() for name in ("power_cap_info", "gpu_driver_info", "temp_metric")}
    source = opened(gpu)
    assert source.devices() == (Device("0000:c1:00.0", "AMD GPU", None),)
    assert (source.driver, source.state()) == (None, (DeviceState("0000:c1:00.0"),))


def test_a_machine_without_rocm_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amdsmi", None)
    for opening in (AmdsmiSource, AmdsmiSource.list_devices):
        sentence, code = why_not(opening)
        assert sentence.startswith(
            "amdsmi: the Python package amdsmi cannot be imported: ModuleNotFoundError"
        )
        assert sentence.endswith("without ROCm, choose --whq-source hwmon.")
        assert code == "no_source"


@pytest.mark.parametrize(("status", "code"), [(34, "no_source"), (10, "source_error")])
def test_only_without_a_driver_is_there_nothing(opened: Install, status: int, code: str) -> None:
    sentence, found = why_not(lambda: opened(fails=AmdSmiLibraryException(status)))
    assert sentence.startswith("amdsmi: ROCm's library cannot be opened: Error code: ")
    assert found == code


def test_a_driver_without_gpus_has_nothing(opened: Install) -> None:
    sentence, code = why_not(opened)
    assert (sentence.startswith("amdsmi: ROCm's driver has no GPU."), code) == (True, "no_source")


def test_a_driver_that_hangs_holds_nobody_up(opened: Install, clock: FakeClock) -> None:
    class Hanging(FakeGpu):
        def _energy_count(self) -> dict[str, Any]:
            if hangs.is_set():
                released.wait(30.0)
            return super()._energy_count()

    hangs, released = threading.Event(), threading.Event()
    source = opened(Hanging(clock))
    hangs.set()
    try:
        sentence, _ = why_not(lambda: BoundedCalls("amdsmi", 0.05).call("answer", source.read))
    finally:
        released.set()
    assert sentence.startswith("The power source amdsmi did not answer within 50.0 ms: its driver may hang.")
