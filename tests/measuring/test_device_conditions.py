"""What devices say of themselves around a window, as warnings."""

import pytest
from bench import Bench

from pytest_whq.measuring.device_conditions import THROTTLES, state_reasons
from pytest_whq.model import DeviceState, Reason

NAMES = {"GPU-0": "NVIDIA H200", "GPU-1": "NVIDIA L4"}


def reasons(*states: DeviceState) -> list[Reason]:
    return list(state_reasons(states, NAMES))


def test_devices_that_say_nothing_give_no_warning() -> None:
    assert reasons() == []
    assert reasons(DeviceState("GPU-0"), DeviceState("GPU-0")) == []
    assert reasons(DeviceState("GPU-0", 60.0, (), 0), DeviceState("GPU-0", 65.0, (), 0)) == []


@pytest.mark.parametrize("reason", sorted(THROTTLES))
def test_clocks_that_were_cut_are_named(reason: str) -> None:
    (found,) = reasons(
        DeviceState("GPU-0", clocks_event_reasons=()), DeviceState("GPU-0", clocks_event_reasons=(reason,))
    )
    assert found == Reason("throttled", f"clocks were cut while the window was open: {reason} on NVIDIA H200")


def test_each_cut_is_named_once() -> None:
    hot = ("hw_slowdown", "sw_thermal_slowdown")
    (found,) = reasons(
        DeviceState("GPU-0", clocks_event_reasons=hot),
        DeviceState("GPU-1", clocks_event_reasons=hot[:1]),
        DeviceState("GPU-0", clocks_event_reasons=hot[1:]),
    )
    assert found.sentence == (
        "clocks were cut while the window was open: hw_slowdown on NVIDIA H200, "
        "sw_thermal_slowdown on NVIDIA H200, hw_slowdown on NVIDIA L4"
    )


def test_a_power_cap_is_normal() -> None:
    assert reasons(DeviceState("GPU-0", clocks_event_reasons=("sw_power_cap", "gpu_idle"))) == []


def test_other_processes_are_told_with_the_most_that_were_seen() -> None:
    (found,) = reasons(
        DeviceState("GPU-0", other_processes=1),
        DeviceState("GPU-0", other_processes=3),
        DeviceState("GPU-0", other_processes=0),
        DeviceState("GPU-1", other_processes=0),
    )
    assert found == Reason(
        "shared_device",
        "other processes use the device (3 on NVIDIA H200), and what they draw is counted: "
        "right for a server under test, wrong for anything else",
    )


@pytest.mark.parametrize(
    ("temperatures_c", "sentence"),
    [
        ([50.0, 60.0], None),
        ([50.0, None, 61.0], "NVIDIA H200 warmed by 11 °C while it was measured"),
        ([None, 50.0, 55.0, 64.0], "NVIDIA H200 warmed by 14 °C while it was measured"),
        ([70.0, 50.0], None),
    ],
)
def test_a_device_that_warms_is_named(temperatures_c: list[float | None], sentence: str | None) -> None:
    found = reasons(*(DeviceState("GPU-0", temperature_c=one) for one in temperatures_c))
    assert found == ([] if sentence is None else [Reason("thermal_drift", sentence)])


def test_the_state_is_asked_for_outside_windows_and_warns() -> None:
    bench = Bench()
    asked_s: list[float] = []

    def state() -> tuple[DeviceState, ...]:
        asked_s.append(bench.clock.now())
        return (DeviceState("SCRIPTED-0", temperature_c=40.0 + 20 * len(asked_s), other_processes=1),)

    bench.source.state = state  # type: ignore[method-assign]
    window = bench.measure(1.0)
    (span,) = window.meter.spans
    assert asked_s == [span.start_s, span.end_s]
    assert window.faults == ["shared_device", "thermal_drift"]
    assert window.measurement.valid is False  # No query was recorded.
    assert window.measurement.why_invalid("wh_total") is None
