"""Sensors of all kinds, in virtual time: two stated uncertainties hold the truth, or a window is refused."""

from statistics import fmean

import pytest
from sensor_profiles import PROFILES, Outcome, measured, rounds_measured

pytestmark = pytest.mark.once

WINDOWS = 12


def windows(profile: str, *durations_s: float, fall_s: float | None = None) -> list[Outcome]:
    seeds = range(WINDOWS)
    return [measured(profile, seconds, seed, fall_s=fall_s) for seconds in durations_s for seed in seeds]


@pytest.mark.parametrize(
    "profile",
    [
        "ideal",
        "counter 1 s",
        "fall 30 ms",
        "fall 60 ms",
        "fall 30 ms, idle stages, counter 500 ms",
        "quanta of 1 J and 1 W",
        "bursts, part-time power",
        "part-time counter, prefill and decode",
        "counter lags 0.5 s",
        "power alone, part-time, prefill and decode",
        "power alone, new each 500 ms",
    ],
)
def test_the_truth_lies_within_two_uncertainties_of_what_stands(profile: str) -> None:
    stand = [one for one in windows(profile, 0.05, 0.3, 1.0, 3.0) if one.refused is None]
    # By chance three of so many windows may lie outside where 95 of 100 lie within.
    assert sum(not one.covered for one in stand) <= 3, profile


@pytest.mark.parametrize("fall_ms", [1, 7, 10, 25, 60])
def test_a_fast_counter_tells_each_fall_and_what_its_ticks_leave_open(fall_ms: float) -> None:
    """When a tick was counts for as much as is drawn then, and falls lie between those that are weighed."""
    found = windows("counter 20 ms", 0.05, 0.3, 1.0, fall_s=fall_ms / 1000)
    assert {one.refused for one in found} == {None}
    assert sum(not one.covered for one in found) <= 3


def test_a_load_of_bursts_may_end_at_thrice_its_mean() -> None:
    """How uneven it is, its ticks tell, though they are read seldom and few are in a window."""
    profiles = "bursts", "bursts, part-time power"
    found = [one for name in profiles for one in windows(name, 0.3, 1.0, 3.0, fall_s=0.02)]
    assert {one.refused for one in found} == {None}
    # By chance six of so many may lie outside where 95 of 100 lie within.
    assert sum(not one.covered for one in found) <= 6


@pytest.mark.parametrize("fall_ms", [10, 30])
def test_boards_of_one_load_fall_alike(fall_ms: float) -> None:
    """Nothing is taken off of any of them, so that they are off the same way."""
    found = windows("prefill and decode, eight boards", 0.3, fall_s=fall_ms / 1000)
    assert {one.refused for one in found} == {None}
    assert sum(not one.covered for one in found) <= 1


def test_power_that_follows_a_load_late_is_within_what_is_stated() -> None:
    found = windows("power alone", 0.3, 1.0, 3.0, fall_s=0.03)
    assert {one.refused for one in found} == {None}
    assert sum(not one.covered for one in found) <= 3


@pytest.mark.parametrize("profile", ["counter 20 ms", "noise 1 %"])
@pytest.mark.parametrize("fall_ms", [10, 30, 60])
def test_rounds_of_different_power_leave_different_tails(profile: str, fall_ms: float) -> None:
    found = [rounds_measured(profile, 0.3, [0.05] * 5, seed, fall_ms / 1000) for seed in range(30)]
    assert {one.refused for one in found} == {None}
    # By chance four of so many may lie outside where 95 of 100 lie within.
    assert sum(not one.covered for one in found) <= 4


@pytest.mark.parametrize(
    "profile", ["ideal", "bursts", "prefill and decode, readings of 4 ms", "prefill and decode, eight boards"]
)
def test_right_numbers_are_not_refused(profile: str) -> None:
    # Of 100 such windows, two may be; of these 36, one.
    assert sum(one.refused is not None for one in windows(profile, 0.3, 1.0, 3.0)) <= 1


@pytest.mark.parametrize("seconds", [0.1, 0.05])
def test_short_rounds_with_short_pauses_are_not_refused(seconds: float) -> None:
    """Power that refreshes each 20 ms is read twice or thrice a round, at the same places in each."""
    found = [rounds_measured("counter 20 ms", seconds, [0.03] * 9, seed) for seed in range(20)]
    assert {one.refused for one in found} == {None}
    assert sum(not one.covered for one in found) <= 2


def test_windows_that_a_part_time_counter_hardly_saw_are_refused_with_a_hint() -> None:
    assert {one.refused for one in windows("part-time counter", 0.05)} == {"window_too_short"}


def test_a_counter_that_lags_is_found_at_every_length() -> None:
    found = windows("counter lags 2 s", 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
    assert {one.refused for one in found} <= {"window_too_short", "sensors_disagree"}


def test_a_slow_counter_gets_the_level_outside_from_the_power_sensor() -> None:
    # Half a second after a load the board idles at another level than right after it.
    stand = [one for one in windows("fall 30 ms, idle stages, counter 500 ms", 1.0) if one.refused is None]
    assert fmean(one.error for one in stand) < 0.03


def test_there_are_forty_profiles() -> None:
    assert len(PROFILES) == 40
