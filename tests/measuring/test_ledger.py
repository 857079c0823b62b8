"""What a test measures in all: windows inside each other, one after another, and queries recorded by hand."""

import threading
import time
from contextvars import Context
from typing import Any

import pytest
from bench import Bench, Notes, a_ledger, two_gpus

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, DeviceState, Measurement, Reading, Reason, TokenCount

TOLD = TokenCount(12, 5, 3, 1)


class Opened:
    """A window of a ledger, opened as the fixture opens it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.meter = ledger, ledger.meter()
        wait(ledger.clock, ledger.open(self.meter))
        self.meter.begin()

    def record(self, reply: object = TOLD, **tokens: Any) -> None:
        self.meter.tally.count(self.ledger.reader.read(reply, **tokens))

    def close(self) -> Measurement:
        return wait(self.ledger.clock, self.ledger.close(self.meter))

    def abandon(self) -> None:
        self.ledger.abandon(self.meter)


class Steady:
    """A source that draws 100 W in real time."""

    opened = 0

    def devices(self) -> tuple[Device, ...]:
        return (Device("GPU-0", "Steady GPU"),)

    def read(self) -> tuple[Reading, ...]:
        now_s = time.monotonic()
        return (Reading("GPU-0", now_s, energy_j=100.0 * now_s),)

    def state(self) -> tuple[DeviceState, ...]:
        return ()

    def close(self) -> None:
        pass


class Shared(Instruments):
    """Opens its source, which takes a while, for the first meter that is asked for."""

    reader = Notes.reader

    def __init__(self, source: Steady) -> None:
        self.source = source
        self.sampler: Sampler | None = None

    def meter(self) -> Meter:
        if self.sampler is None:
            time.sleep(0.01)
            self.source.opened += 1
            self.sampler = Sampler(self.source, self.clock)
        return Meter(self.clock, self.sampler)


@pytest.fixture
def bench() -> Bench:
    return Bench(phase_s=0.0123)


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return a_ledger(bench)


def test_there_is_no_measurement_before_a_window_has_closed(bench: Bench, ledger: Ledger) -> None:
    window = Opened(ledger)
    assert (ledger.has_measured, ledger.innermost) == (False, window.meter)
    with pytest.raises(WhqError) as caught:
        _ = ledger.measurement
    assert str(caught.value) == (
        "Nothing is measured yet: whq.measurement is there once whq(call) has returned "
        "or a whq.measure() window has closed."
    )
    bench.call(0.5)
    window.close()
    assert (ledger.has_measured, ledger.innermost) == (True, None)


def test_windows_one_after_another_add_up(bench: Bench, ledger: Ledger) -> None:
    for seconds in (0.5, 1.0):
        window = Opened(ledger)
        bench.call(seconds)
        window.record()
        window.close()
        bench.idle(3.0)
    found = ledger.measurement
    assert (found.queries, len(found.rounds)) == (2, 2)
    assert found.duration_s == pytest.approx(1.5)
    assert found.energy_j == pytest.approx(450 * 1.5, rel=0.002)
    assert found.tokens == TokenCount(24, 10, 6, 2)


def test_the_energy_of_an_inner_window_is_in_that_of_the_outer_one_and_counts_once(
    bench: Bench, ledger: Ledger
) -> None:
    outer = Opened(ledger)
    bench.call(0.5)
    outer.record()
    bench.idle(0.2)
    inner = Opened(ledger)
    bench.call(0.25)
    inner.record()
    assert ledger.innermost is inner.meter
    inside = inner.close()
    assert ledger.innermost is outer.meter
    around = outer.close()
    assert (inside.queries, around.queries) == (1, 2)
    assert inside.energy_j == pytest.approx(450 * 0.25, rel=0.01)
    assert ledger.measurement == around
    (span,) = outer.meter.spans
    assert around.energy_j == pytest.approx(bench.source.true_energy_j(span.start_s, span.end_s), rel=0.002)


def test_a_window_that_nobody_waits_to_close_is_noticed_by_python_and_by_mypy(ledger: Ledger) -> None:
    window = Opened(ledger)
    with pytest.warns(RuntimeWarning, match=r"^coroutine 'Ledger.close' was never awaited$"):
        ledger.close(window.meter)  # type: ignore[unused-coroutine]
    assert (ledger.has_measured, ledger.innermost) == (False, window.meter)


def test_a_window_that_outlives_the_one_around_it_makes_one_stretch_with_it(
    bench: Bench, ledger: Ledger
) -> None:
    outer, inner = Opened(ledger), Opened(ledger)
    bench.call(0.5)
    outer.record()
    around = outer.close()
    inner.record()
    bench.call(0.5)
    inner.close()
    found = ledger.measurement
    assert (around.queries, found.queries, len(found.rounds)) == (1, 2, 1)
    assert found.tokens == TokenCount(24, 10, 6, 2)
    start_s, end_s = outer.meter.spans[0].start_s, inner.meter.spans[0].end_s
    assert found.energy_j == pytest.approx(bench.source.true_energy_j(start_s, end_s), rel=0.002)


def opened_apart(ledger: Ledger) -> Opened:
    """A window of another task or thread, which is in no other."""
    return Context().run(Opened, ledger)


def test_windows_of_several_tasks_count_their_common_time_and_each_query_once(
    bench: Bench, ledger: Ledger
) -> None:
    bench.source.set_watts(450.0)
    first = opened_apart(ledger)
    bench.idle(0.5)
    second = opened_apart(ledger)
    bench.idle(0.5)
    first.record()
    alone = first.close()
    third = opened_apart(ledger)
    bench.idle(0.5)
    second.record()
    second.close()
    bench.idle(0.5)
    third.record()
    third.meter.tally.fail()
    third.close()
    assert (alone.queries, alone.failed_queries) == (1, 0)
    found = ledger.measurement
    assert (found.queries, found.failed_queries, found.tokens.output_tokens) == (3, 1, 15)
    start_s, end_s = first.meter.spans[0].start_s, third.meter.spans[0].end_s
    assert found.duration_s == pytest.approx(end_s - start_s)
    assert found.energy_j == pytest.approx(bench.source.true_energy_j(start_s, end_s), rel=0.002)


def test_windows_of_tasks_that_follow_each_other_stay_apart(bench: Bench, ledger: Ledger) -> None:
    for _ in range(2):
        window = opened_apart(ledger)
        bench.call(0.5)
        window.record()
        window.close()
    assert (ledger.measurement.queries, len(ledger.measurement.rounds)) == (2, 2)


def test_a_window_in_one_of_several_tasks_is_inside_that_one_alone(bench: Bench, ledger: Ledger) -> None:
    task, other = Context(), opened_apart(ledger)
    outer, inner = task.run(Opened, ledger), task.run(Opened, ledger)
    assert (outer.meter.around, inner.meter.around) == (None, outer.meter)
    assert task.run(lambda: ledger.innermost) is inner.meter
    bench.call(0.5)
    inner.record()
    other.record()
    found = [window.close().queries for window in (inner, outer, other)]
    assert (found, ledger.measurement.queries) == ([1, 1, 1], 2)


def test_windows_in_threads_share_a_sampler_that_ends_with_the_last_of_them() -> None:
    source = Steady()
    ledger = Ledger(Shared(source), Plan())
    before = threading.active_count()

    def measure() -> None:
        for _ in range(4):
            window = Opened(ledger)
            window.record()
            window.close()

    threads = [threading.Thread(target=measure) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert threading.active_count() == before
    assert (ledger.measurement.queries, source.opened) == (64, 1)


def test_a_failed_query_counts_in_all_windows_around_it(bench: Bench, ledger: Ledger) -> None:
    outer, inner = Opened(ledger), Opened(ledger)
    bench.call(0.5)
    inner.meter.tally.fail()
    outer.meter.tally.fail()
    assert (inner.close().failed_queries, outer.close().failed_queries) == (1, 2)


def test_a_stream_that_is_under_way_when_its_window_closes_has_failed_there_and_around_it(
    bench: Bench, ledger: Ledger
) -> None:
    outer, inner = Opened(ledger), Opened(ledger)
    now = bench.clock.now
    stream = ledger.reader.follow(iter("abc"), inner.meter.tally, now, now())
    assert next(stream) == "a"
    bench.call(0.5)
    inside = inner.close()
    assert list(stream) == ["b", "c"]
    around = outer.close()
    for found in (inside, around):
        assert (found.queries, found.failures) == (0, {"abandoned stream": 1})


def test_queries_of_a_window_count_in_none_that_has_not_begun(bench: Bench, ledger: Ledger) -> None:
    outer, load = Opened(ledger), ledger.instruments.meter()
    wait(bench.clock, ledger.open(load))
    inner = Opened(ledger)
    bench.call(0.5)
    inner.record()
    assert inner.close().queries == 1
    ledger.abandon(load)
    assert (load.tallies, outer.close().queries) == ([], 1)


def test_a_window_on_several_devices_adds_them_up(bench: Bench) -> None:
    first, second, both = two_gpus(bench.clock)
    ledger = Ledger(Notes(bench, source=both), Plan())
    window = Opened(ledger)
    first.set_watts(450.0)
    second.call(1.0, 300.0)
    first.set_watts(70.0)
    window.record()
    found = window.close()
    assert [device.id for device in found.devices] == ["GPU-0", "GPU-1"]
    energies_j = [device.energy_j or 0.0 for device in found.devices]
    assert energies_j == pytest.approx([450, 300], rel=0.005)
    assert found.energy_j == pytest.approx(sum(energies_j))
    assert found.net_energy_j == pytest.approx(380 + 210, rel=0.01)
    assert found.method == "counter"


def test_one_device_that_cannot_be_measured_spoils_the_sum_and_is_named(bench: Bench) -> None:
    first, second, both = two_gpus(bench.clock)
    second.alter = lambda reading: type(reading)(reading.device_id, reading.time_s, 5.0, 90.0)
    ledger = Ledger(Notes(bench, source=both), Plan())
    window = Opened(ledger)
    first.call(1.0, 450.0)
    window.record()
    found = window.close()
    assert (found.energy_j, found.devices) == (None, ())
    (reason,) = found.reasons
    assert reason == Reason(
        "counter_stuck",
        "GPU 1 (GPU-1): the energy counter did not move before the window, while readings went on",
    )


def test_a_window_that_is_abandoned_measures_nothing_and_stops_reading(bench: Bench, ledger: Ledger) -> None:
    window = Opened(ledger)
    bench.call(0.5)
    window.abandon()
    window.abandon()
    readings = bench.readings
    bench.idle(1.0)
    assert (bench.readings, ledger.has_measured, ledger.innermost) == (readings, False, None)


def test_an_abandoned_inner_window_leaves_the_outer_one_measuring(bench: Bench, ledger: Ledger) -> None:
    outer, inner = Opened(ledger), Opened(ledger)
    bench.call(0.5)
    inner.abandon()
    bench.call(0.5)
    outer.record()
    assert outer.close().energy_j == pytest.approx(450 + 70 * (outer.meter.elapsed_s - 1.0), rel=0.01)


def test_without_a_source_a_window_opens_and_closes_at_once(bench: Bench) -> None:
    why_not = Reason("no_source", "there is no driver")
    ledger = Ledger(Notes(bench, why_not=why_not), Plan())
    began_s = bench.clock.now()
    window = Opened(ledger)
    bench.call(0.5)
    window.record()
    found = window.close()
    assert bench.clock.now() - began_s == 0.5
    assert (found.energy_j, found.duration_s, found.queries) == (None, 0.5, 1)
    assert found.reasons == (why_not,)


def test_a_meter_that_never_began_ends_as_nothing(bench: Bench) -> None:
    meter: Meter = bench.meter()
    meter.end()
    meter.abandon()
    assert (meter.spans, meter.elapsed_s, meter.is_open) == ([], 0, False)
