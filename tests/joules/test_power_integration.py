"""Joules from readings of power: pure where figures are exact, else in virtual time."""

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import fmean

import pytest
from bench import Bench

from pytest_whq.joules.power import power_energy
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.testing import FakeClock, ScriptedSource

Levels = Sequence[tuple[float, float]]
"""Seconds, and the watts drawn for so long, one after another."""


def samples_of(
    levels: Levels, *, averaging_s: float = 0.025, every_s: float = 0.02, dark: tuple[float, float] = (0, 0)
) -> PowerSamples:
    """What a sensor of 100 ms showed of ``levels``, but for the stretch ``dark``."""
    clock = FakeClock(0.0)
    source = ScriptedSource(clock, levels[0][1], averaging_s=averaging_s, counter=False)
    samples = PowerSamples(averaging_s)

    def read() -> float:
        (reading,) = source.read()
        assert reading.power_w is not None
        if not dark[0] < clock.now() < dark[1]:
            samples.add(clock.now(), reading.power_w)
        return every_s

    clock.repeat(read)
    for seconds, watts in levels:
        source.set_watts(watts)
        clock.sleep(seconds)
    return samples


def why_not(samples: PowerSamples, span: Span) -> tuple[str, str]:
    with pytest.raises(UnmeasurableError) as caught:
        power_energy(samples, [span])
    return caught.value.reason.code, caught.value.reason.sentence


def test_steady_power_is_integrated_exactly_between_the_edges() -> None:
    samples = samples_of([(1, 70), (1, 450), (1, 90)], averaging_s=0.1)
    found = power_energy(samples, [Span(1.0, 2.0)], follows_s=0.0)
    assert found.energies_j == pytest.approx((450,))
    assert found.method == "power"
    # Right after a load a board does not rest yet.
    assert found.idle_w == pytest.approx(70)
    assert found.uncertainty_j == pytest.approx(0.005 * 450)


def test_what_is_drawn_while_power_may_follow_a_load_late_is_in_doubt() -> None:
    samples = samples_of([(1, 70), (1, 450), (1, 70)], averaging_s=0.1)
    found = power_energy(samples, [Span(1.0, 2.0)])
    # Half of the 380 W above rest for 30 ms; boards of one load are late alike.
    assert found.uncertainty_j == pytest.approx(5.7)
    assert found.common_j == pytest.approx(math.sqrt(5.7**2 - 2.25**2))


def test_power_that_changes_inside_is_integrated_within_its_uncertainty() -> None:
    samples = samples_of([(1, 70), (0.5, 300), (0.7, 500), (1, 70)])
    found = power_energy(samples, [Span(1.0, 2.2)])
    assert found.energy_j == pytest.approx(300 * 0.5 + 500 * 0.7, rel=0.02)
    assert abs(found.energy_j - 500) < 2 * found.uncertainty_j


def test_each_span_is_integrated_by_itself() -> None:
    samples = samples_of([(1, 70), (0.5, 300), (0.5, 70), (1.0, 500), (1, 70)], averaging_s=0.1)
    found = power_energy(samples, [Span(1.0, 1.5), Span(2.0, 3.0)], follows_s=0.0)
    assert found.energies_j == pytest.approx((150, 500))
    assert found.uncertainty_j == pytest.approx(0.005 * math.hypot(150, 500))


def test_a_level_that_was_not_seen_outside_is_unknown() -> None:
    samples = PowerSamples(0.025)
    for number in range(150):
        samples.add(1.0 + number * 0.02, 450.0)
    assert power_energy(samples, [Span(0.99, 3.99)]).idle_w is None


def test_a_window_shorter_than_the_sensor_looks_back_is_too_short() -> None:
    samples = samples_of([(1, 70), (0.13, 450), (1, 70)])
    assert why_not(samples, Span(1.0, 1.13)) == (
        "window_too_short",
        "the power sensor looks back over up to 125 ms, so a window of 130 ms is too short for it",
    )


def test_a_sensor_that_averages_a_second_needs_a_window_of_several() -> None:
    samples = samples_of([(2, 70), (4.4, 450), (2, 70)], averaging_s=1.0)
    assert why_not(samples, Span(2.0, 6.4)) == (
        "window_too_short",
        "the power sensor looks back over up to 1100 ms, so a window of 4400 ms is too short for it",
    )
    samples = samples_of([(2, 70), (5, 450), (2, 70)], averaging_s=1.0)
    assert power_energy(samples, [Span(2.0, 7.0)]).energies_j == pytest.approx((450 * 5,))


@pytest.mark.parametrize(
    "dark",
    [
        pytest.param((1.5, 3.0), id="in the middle"),
        pytest.param((0.9, 2.6), id="at the start"),
        pytest.param((3.5, 5.2), id="at the end"),
    ],
)
def test_a_gap_in_the_readings_is_not_filled_in(dark: tuple[float, float]) -> None:
    samples = samples_of([(1, 70), (4, 450), (1, 70)], dark=dark)
    inside_s = min(dark[1], 5.0) - max(dark[0], 1.125)
    code, sentence = why_not(samples, Span(1.0, 5.0))
    assert code == "sample_gap"
    assert sentence == f"no power reading for {inside_s:.1f} s inside the window; at most 1.0 s is filled in"


def test_a_long_window_without_any_reading_is_a_gap_and_not_too_short() -> None:
    samples = samples_of([(1, 70), (4, 450), (1, 70)], dark=(0.9, 5.1))
    assert why_not(samples, Span(1.0, 5.0))[0] == "sample_gap"


def test_a_gap_of_less_than_a_second_is_bridged() -> None:
    samples = samples_of([(1, 70), (4, 450), (1, 70)], dark=(2.0, 2.9))
    assert power_energy(samples, [Span(1.0, 5.0)]).energies_j == pytest.approx((1800,))


def test_the_refresh_period_is_learned_where_power_changes() -> None:
    samples = samples_of([(0.1, 70 + 10 * (n % 7)) for n in range(20)], every_s=0.004)
    assert samples.refresh_s == pytest.approx(0.1, rel=0.01)
    assert samples.memory_s == pytest.approx(0.125, rel=0.01)


def test_a_steady_reading_says_nothing_of_the_refresh_period() -> None:
    samples = samples_of([(2, 70), (2, 450), (2, 70)], every_s=0.004)
    assert samples.refresh_s == 0.1


@pytest.mark.once
def test_steady_readings_are_thinned() -> None:
    samples = PowerSamples(0.025)
    for number in range(360_000):
        samples.add(number * 0.01, 450.0)
    assert len(samples) < 3600 / 0.04
    assert power_energy(samples, [Span(10.0, 3000.0)]).energies_j == pytest.approx((450 * 2990,))


def test_windows_of_a_second_are_within_two_percent() -> None:
    errors = []
    for seed in range(40):
        how = {"phase_s": seed * 0.0025, "counter": False, "noise": 0.02}
        window = Bench(late_s=0.001, seed=seed, **how).measure(1.0)
        assert window.measurement.method == "power"
        errors.append(abs(window.error))
    assert max(errors) < 0.02


def test_windows_of_five_seconds_are_within_three_percent_by_a_sensor_that_averages_one() -> None:
    errors = []
    for seed in range(10):
        bench = Bench(
            late_s=0.001, seed=seed, phase_s=seed * 0.01, counter=False, averaging_s=1.0, noise=0.02
        )
        errors.append(abs(bench.measure(5.0).error))
    assert max(errors) < 0.03


def test_a_call_that_draws_unsteadily_is_within_three_percent_by_a_sensor_that_averages_a_second() -> None:
    errors = []
    for number in range(10):
        bench = Bench(counter=False, averaging_s=1.0, phase_s=number * 0.01)
        window = bench.open()
        for watts in (300, 450, 200, 500, 350):
            bench.call(1.0, watts)
        errors.append(abs(window.close().error))
    assert fmean(errors) < 0.03


def test_windows_that_are_too_short_for_the_sensor_are_not_measured() -> None:
    window = Bench(counter=False).measure(0.1)
    assert (window.measurement.energy_j, window.codes) == (None, ["window_too_short"])
    window = Bench(counter=False, averaging_s=1.0).measure(1.0)
    assert (window.measurement.energy_j, window.codes) == (None, ["window_too_short"])


def test_readings_of_zero_watts_are_no_readings() -> None:
    bench = Bench(counter=False)
    bench.source.alter = lambda r: replace(r, power_w=0.0) if round(r.time_s * 1000) % 3 else r
    assert bench.measure(1.0).energy_j == pytest.approx(450)


def test_only_zero_watts_for_too_long_is_a_gap() -> None:
    bench = Bench(counter=False)
    window = bench.open()
    bench.call(1.0)
    bench.source.alter = lambda reading: replace(reading, power_w=0.0)
    bench.call(2.0)
    bench.source.alter = None
    bench.call(1.0)
    assert (window.close().codes, window.measurement.energy_j) == (["sample_gap"], None)


def test_power_that_is_not_supported_for_a_moment_is_bridged() -> None:
    bench = Bench(counter=False)
    window = bench.open()
    bench.call(1.0)
    bench.source.alter = lambda reading: replace(reading, power_w=None)
    bench.call(0.05)
    bench.source.alter = None
    bench.call(1.0)
    assert window.close().energy_j == pytest.approx(450 * 2.05, rel=0.001)


def new_each_half_second(watts: Sequence[float]) -> PowerSamples:
    """Two RTX 5090 polled each 50 ms showed a new value each 500 ms, as far as such polls tell."""
    samples, random = PowerSamples(0.1), Random(5090)
    for poll in range(round(len(watts) * 10)):
        samples.add(poll * 0.05 + random.uniform(0.0, 0.004), watts[int(poll * 0.05 / 0.5 - 0.06)])
    return samples


def test_a_sensor_that_shows_something_new_each_half_second_is_known_as_one() -> None:
    random = Random(1)
    samples = new_each_half_second([random.uniform(420.0, 460.0) for _ in range(40)])
    assert samples.refresh_s == pytest.approx(0.5, rel=0.02)
    for seconds in (0.3, 0.5):
        assert why_not(samples, Span(10.0, 10.0 + seconds))[0] == "window_too_short"
    found = power_energy(samples, [Span(5.0, 15.0)])
    assert abs(found.energy_j - 4400.0) < 2 * found.uncertainty_j < 0.2 * found.energy_j


def test_windows_are_too_short_for_it_before_its_period_is_known_too() -> None:
    samples = new_each_half_second([70.0, 71.0, 430.0, 70.5])
    assert samples.refresh.period_s is None
    assert why_not(samples, Span(1.0, 1.4))[0] == "window_too_short"
