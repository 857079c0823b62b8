from collections.abc import Callable
from itertools import pairwise
from statistics import fmean

import pytest
from bench import Bench, two_gpus
from calls import measured

from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, DeviceState, Reading, TokenCount
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window


def log_readings(bench: Bench) -> list[float]:
    """The times of the readings made from now on, in seconds."""
    times_s: list[float] = []

    def note(reading: Reading) -> Reading:
        times_s.append(reading.time_s)
        return reading

    bench.source.alter = note
    return times_s


def pauses(times_s: list[float]) -> list[float]:
    return [round(after - before, 6) for before, after in pairwise(times_s)]


def test_nothing_is_read_before_a_window_and_after_it() -> None:
    bench = Bench()
    times_s = log_readings(bench)
    bench.idle(1.0)
    assert times_s == []
    bench.measure(0.5)
    done = len(times_s)
    bench.idle(1.0)
    assert len(times_s) == done


def test_it_reads_fast_around_a_window_and_slowly_inside() -> None:
    bench = Bench(phase_s=0.05)
    before_s = log_readings(bench)
    window = bench.open()
    inside_s = log_readings(bench)
    bench.call(0.5)
    after_s = log_readings(bench)
    window.close()
    assert set(pauses(before_s[:-1])) == {0.003}
    assert_uneven(pauses(inside_s)[1:], 0.025)
    assert 15 <= len(inside_s) <= 20
    # The first is at the edge itself.
    assert after_s[0] == window.meter.spans[0].end_s
    assert set(pauses(after_s)[1:]) == {0.003}


@pytest.mark.parametrize(("cost_s", "outside_s", "inside_s"), [(0.002, 0.003, 0.102), (0.007, 0.008, 0.357)])
def test_readings_that_take_long_are_made_seldom(cost_s: float, outside_s: float, inside_s: float) -> None:
    bench = Bench(cost_s=cost_s)
    outside = log_readings(bench)
    window = bench.open()
    inside = log_readings(bench)
    bench.call(2.0)
    window.close()
    assert set(pauses(outside[:-1])) == {outside_s}
    # Reading takes at most 2 % of the time inside a window.
    of_window = [time_s for time_s in inside if time_s < window.meter.spans[0].end_s]
    assert_uneven(pauses(of_window)[1:], inside_s)


def assert_uneven(pauses_s: list[float], least_s: float) -> None:
    """Pauses of ``least_s`` that are up to 40 % longer and do not repeat."""
    assert fmean(pauses_s) == pytest.approx(1.2 * least_s, rel=0.1)
    assert len(set(pauses_s)) == len(pauses_s)
    assert least_s <= min(pauses_s) + 1e-6
    assert max(pauses_s) <= 1.4 * least_s + 1e-6


def test_a_load_of_the_readings_own_pace_is_not_met_always_at_the_same_point() -> None:
    # Readings of 3 ms are made every 150 ms: at even pauses nearly all would miss the 50 ms at 600 W.
    for seed in range(10):
        bench = Bench(cost_s=0.003, late_s=0.002, noise=0.02, seed=seed, phase_s=0.009 * seed)

        def call() -> TokenCount:
            bench.call(0.05, 600.0)  # noqa: B023 - called in this turn only
            bench.call(0.4, 350.0)  # noqa: B023
            return TokenCount(1, 1)

        measurement, _ = measured(bench, call, warmup=0, max_seconds=15.0)
        assert not measurement.has("sensors_disagree")


def test_a_window_of_a_day_needs_few_readings_where_a_counter_counts() -> None:
    bench = Bench()
    times_s = log_readings(bench)
    window = bench.measure(86400.0)
    assert window.energy_j == pytest.approx(450 * 86400)
    assert len(times_s) < 30_000


def test_a_power_sensor_is_read_as_often_in_a_long_window() -> None:
    bench = Bench(counter=False)
    window = bench.open()
    times_s = log_readings(bench)
    bench.call(600.0)
    assert max(pauses(times_s)) <= 0.035
    assert window.close().energy_j == pytest.approx(450 * 600)


def test_a_power_sensor_that_is_slow_to_read_leaves_no_gap() -> None:
    # As of eight GPUs at 7 ms each; at 2 % of the time the next reading came after 2.8 s.
    window = Bench(counter=False, cost_s=0.056).measure(10.0)
    assert window.energy_j == pytest.approx(window.true_j, rel=0.005)


def test_a_window_inside_a_long_one_is_as_exact_as_any() -> None:
    bench = Bench(phase_s=0.0123)
    outer = bench.open()
    bench.idle(86400.0)
    inner = bench.measure(0.1)
    outer.close()
    assert inner.energy_j == pytest.approx(45.0, rel=0.01)
    assert outer.energy_j == pytest.approx(outer.true_j)


def test_windows_that_overlap_are_read_until_the_last_one_closes() -> None:
    bench = Bench(phase_s=0.0123)
    first = bench.open()
    bench.call(0.3)
    bench.idle(0.2)
    second = bench.open()
    bench.call(0.3)
    first.close()
    bench.call(0.3)
    second.close()
    assert first.energy_j == pytest.approx(first.true_j, rel=0.01)
    assert second.energy_j == pytest.approx(second.true_j, rel=0.01)
    readings = bench.readings
    bench.idle(1.0)
    assert bench.readings == readings


def test_an_error_of_the_source_spoils_the_window_in_which_it_falls() -> None:
    bench = Bench()
    window = bench.open()
    bench.call(0.2)
    bench.source.error = SourceError("the GPU is lost")
    bench.call(0.2)
    bench.source.error = None
    bench.call(0.2)
    window.close()
    assert (window.codes, window.sentence) == (["source_error"], "the GPU is lost")
    assert bench.measure(0.3).faults == []


def test_the_code_of_an_error_is_the_reason() -> None:
    bench = Bench()
    window = bench.open()
    bench.source.error = SourceError("it is split", code="mig")
    bench.call(0.2)
    assert window.close().codes == ["mig"]


def test_an_error_before_an_inner_window_spoils_only_the_outer_one() -> None:
    bench = Bench()
    outer = bench.open()
    bench.source.error = SourceError("the GPU is lost")
    bench.call(0.2)
    bench.source.error = None
    bench.idle(0.2)
    inner = bench.measure(0.3)
    outer.close()
    assert inner.faults == []
    assert inner.energy_j == pytest.approx(inner.true_j, rel=0.01)
    assert (outer.codes, outer.sentence) == (["source_error"], "the GPU is lost")


def test_a_source_that_fails_while_a_window_opens_does_not_hold_it_up() -> None:
    bench = Bench()
    bench.source.error = SourceError("the GPU is lost")
    began_s = bench.clock.now()
    window = bench.measure(0.3)
    assert bench.clock.now() - began_s == pytest.approx(0.3, abs=0.02)
    assert window.codes == ["source_error"]


def test_any_other_exception_of_a_source_is_an_error_of_it() -> None:
    bench = Bench()
    window = bench.open()

    def divide(reading: Reading) -> Reading:
        raise ZeroDivisionError("by nothing")

    bench.source.alter = divide
    bench.call(0.1)
    assert window.close().sentence == "the power source failed: ZeroDivisionError('by nothing')"


def test_readings_of_devices_that_it_did_not_offer_are_left_aside() -> None:
    bench = Bench()
    stray = ScriptedSource(bench.clock, 999.0, device=Device("STRAY", "Stray"))
    both = two_gpus(bench.clock)[2]
    sampler = Sampler(both, bench.clock)
    both._parts = (*both._parts, stray)
    meter = Meter(bench.clock, sampler)
    wait(bench.clock, meter.open())
    assert sorted(sampler.traces) == ["GPU-0", "GPU-1"]


class _Gone:
    """What repeats no more, or never did."""

    def __init__(self, alive: bool) -> None:
        self.alive = alive

    def wake(self) -> None:
        pass

    def step_now(self, longest_s: float) -> bool:
        return False

    def stop(self) -> None:
        pass


class Silent(FakeClock):
    """A clock whose threads do nothing."""

    alive = True

    def repeat(self, step: Callable[[], float]) -> _Gone:  # type: ignore[override]
        return _Gone(self.alive)


class Dead(Silent):
    alive = False


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Silent, "the power source has not answered for 2.0 s; its driver may hang"),
        (Dead, "the thread that reads the power source has died"),
    ],
)
def test_a_thread_that_reads_no_more_is_noticed(kind: type[FakeClock], sentence: str) -> None:
    clock = kind()
    source = ScriptedSource(clock)
    reason, _ = measured_window(source, clock, lambda: source.call(3.0, 450.0)).reasons
    assert (reason.code, reason.sentence) == ("source_error", sentence)


def test_a_source_that_says_nothing_of_its_state_is_measured_all_the_same() -> None:
    class Mute(ScriptedSource):
        def state(self) -> tuple[DeviceState, ...]:
            raise RuntimeError("not asked for")

    clock = FakeClock()
    assert Sampler(Mute(clock), clock).state() == ()
