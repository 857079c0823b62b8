"""Boards that a calibration has shown, in virtual time: what is known of them helps, and does no harm."""

from statistics import fmean

import pytest
from sensor_profiles import Outcome, measured

from pytest_whq.model import CalibratedBoard, CounterKind, Device

pytestmark = pytest.mark.once

WINDOWS = 24


def first_windows(
    profile: str,
    duration_s: float,
    settling_s: tuple[float, float] | None,
    counter: CounterKind = "whole",
) -> list[Outcome]:
    def known(device: Device) -> CalibratedBoard:
        when = "2026-11-26T00:00:00Z"
        return CalibratedBoard(device.id, "profiled", device.power_limit_w, when, counter, settling_s)

    found = [measured(profile, duration_s, seed, known) for seed in range(WINDOWS)]
    return [one for one in found if one.refused is None]


def uncovered(outcomes: list[Outcome]) -> int:
    return sum(not one.covered for one in outcomes)


@pytest.mark.parametrize("profile", ["ideal", "noise 1 %", "part-time power beside a whole counter"])
def test_the_first_window_of_a_board_that_is_known_is_not_imprecise(profile: str) -> None:
    found = first_windows(profile, 0.3, (0.0, 0.005))
    # Chance lets a few falls speak for another time constant, and the calibration is not believed there.
    assert sum(one.imprecise for one in found) <= WINDOWS / 8
    assert (len(found), uncovered(found)) == (WINDOWS, 0)


def test_without_calibration_it_is() -> None:
    assert sum(measured("ideal", 0.3, seed).imprecise for seed in range(WINDOWS)) > WINDOWS / 2


@pytest.mark.parametrize("duration_s", [0.3, 1.0])
def test_a_slow_fall_that_is_known_is_taken_off(duration_s: float) -> None:
    found = first_windows("fall 30 ms", duration_s, (0.02, 0.045))
    unknown = [measured("fall 30 ms", duration_s, seed) for seed in range(WINDOWS)]
    assert uncovered(found) <= 1
    bias = fmean(one.error for one in unknown if one.refused is None)
    assert abs(fmean(one.error for one in found)) < 0.7 * abs(bias)


@pytest.mark.parametrize("duration_s", [0.05, 0.3, 1.0])
@pytest.mark.parametrize(
    ("profile", "settling_s"),
    [("fall 30 ms", (0.0, 0.0)), ("fall 60 ms", (0.0, 0.005)), ("ideal", (0.03, 0.03))],
)
def test_a_calibration_that_ticks_contradict_is_not_believed(
    profile: str, settling_s: tuple[float, float], duration_s: float
) -> None:
    # Of so many windows one lies outside where 95 of 100 lie within.
    assert uncovered(first_windows(profile, duration_s, settling_s)) <= 1


def test_a_counter_that_is_made_of_looks_is_so_whatever_its_calibration_says() -> None:
    assert uncovered(first_windows("part-time counter, prefill and decode", 1.0, None)) <= 1
