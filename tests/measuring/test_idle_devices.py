"""Windows in which the devices did nothing are told from those in which they did little."""

import re

import pytest
from virtual_loop import OneSource

from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Measurement
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window


def of_window(
    seconds: float, watts: float, *, noise: float = 0.0, seed: int = 0, counter: bool = True
) -> Measurement:
    """A window in which a board that rests at 70 W draws ``watts``."""
    clock = FakeClock(late_s=0.001, seed=seed)
    source = ScriptedSource(clock, 70.0, noise=noise, seed=seed, phase_s=0.013 * seed, counter=counter)
    return measured_window(source, clock, lambda: source.call(seconds, watts))


@pytest.mark.parametrize("sensor", ["counter", "power"])
def test_a_window_that_draws_what_is_drawn_around_it_is_idle(sensor: str) -> None:
    measured = of_window(3.0, 70.0, counter=sensor == "counter")
    assert not measured.valid
    [sentence] = [reason.sentence for reason in measured.reasons if reason.code == "device_idle"]
    assert re.fullmatch(
        r"(69.9|70.0|70.1) W in the window are the 70.0 W around it: "
        "what was measured ran elsewhere, as on a remote server, or is a mock",
        sentence,
    )
    assert measured.energy_j == pytest.approx(210.0, rel=0.005)
    assert measured.wh_per_query == pytest.approx(210.0 / 3600, rel=0.005)


def test_most_idle_windows_of_a_noisy_board_are_told() -> None:
    told = [of_window(5.0, 70.0, noise=0.03, seed=seed).has("device_idle") for seed in range(20)]
    assert told.count(True) >= 17


@pytest.mark.once
@pytest.mark.parametrize("seconds", [0.3, 1.0, 5.0])
def test_light_work_is_not_called_idle(seconds: float) -> None:
    """A twentieth of the level at rest is little: waking the clocks of an H100 alone adds half of it."""
    called = [of_window(seconds, 73.5, noise=0.03, seed=seed).has("device_idle") for seed in range(20)]
    assert called.count(True) <= 1


def test_a_window_too_short_to_tell_is_not_called_idle() -> None:
    assert not of_window(0.05, 70.0, noise=0.05).has("device_idle")


def test_a_level_that_steps_between_before_and_after_tells_nothing() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, 120.0)

    def fall() -> None:
        source.set_watts(70.0)
        clock.sleep(2.0)

    assert not measured_window(source, clock, fall).has("device_idle")


@pytest.mark.parametrize("idle_ok", [True, False])
def test_a_test_may_say_that_its_devices_do_nothing(idle_ok: bool) -> None:
    clock = FakeClock()
    ledger = Ledger(OneSource(clock, ScriptedSource(clock, 70.0)), Plan(idle_ok=idle_ok))
    meter = ledger.instruments.meter()
    wait(clock, ledger.open(meter))
    meter.begin()
    clock.sleep(2.0)
    measured = wait(clock, ledger.close(meter))
    assert measured.has("device_idle") != idle_ok


def test_nothing_is_idle_to_an_estimate() -> None:
    """It knows of no draw at rest."""
    clock = FakeClock()
    source = ScriptedSource(clock, 70.0)
    source.estimated = True
    meter = Meter(clock, Sampler(source, clock))
    wait(clock, meter.open())
    meter.begin()
    clock.sleep(2.0)
    meter.end()
    wait(clock, meter.close())
    assert not meter.measurement(precision=0.02).has("device_idle")
