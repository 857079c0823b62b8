"""A meter by itself: what it waits for, holds on to and gives back."""

from collections.abc import Callable

import pytest
from bench import Bench

from pytest_whq.measuring.claim import Claim, Hold
from pytest_whq.measuring.clock import pause, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import start_phase
from pytest_whq.model import Reason


class Held(Claim):
    """A claim that another process holds for a second."""

    def __init__(self) -> None:
        self.holders = 0

    async def acquire(self) -> Hold:
        await pause(1.0)
        self.holders += 1
        claim = self

        class Held(Hold):
            def release(self) -> None:
                claim.holders -= 1

        return Held(())


@pytest.fixture
def bench() -> Bench:
    return Bench(phase_s=0.0123)


def claimed(bench: Bench, *, source: bool = True) -> tuple[Meter, Held]:
    """A meter that has got its claim."""
    claim = Held()
    why_not = None if source else Reason("no_source", "there is no driver")
    meter = Meter(bench.clock, bench.sampler if source else None, why_not, claim)
    began_s = bench.clock.now()
    wait(bench.clock, meter.claim())
    assert (bench.clock.now() - began_s, claim.holders) == (1.0, 1)
    return meter, claim


@pytest.mark.parametrize("source", [True, False])
def test_a_claim_is_held_until_the_meter_has_closed(bench: Bench, source: bool) -> None:
    meter, claim = claimed(bench, source=source)
    wait(bench.clock, meter.open())
    meter.begin()
    bench.call(0.5)
    meter.end()
    assert claim.holders == 1
    wait(bench.clock, meter.close())
    assert claim.holders == 0
    meter.abandon()
    assert claim.holders == 0


def opening(meter: Meter) -> None:
    waits = meter.open()
    waits.send(None)
    waits.close()


def closing(meter: Meter) -> None:
    wait(meter._clock, meter.open())
    meter.begin()
    meter.end()
    waits = meter.close()
    waits.send(None)
    waits.close()


@pytest.mark.parametrize("end", [Meter.abandon, opening, closing])
def test_a_claim_is_given_back_where_a_measurement_ends_early(
    bench: Bench, end: Callable[[Meter], None]
) -> None:
    meter, claim = claimed(bench)
    end(meter)
    assert claim.holders == 0
    readings = bench.readings
    bench.idle(1.0)
    assert bench.readings == readings


def test_an_interrupted_wait_for_a_claim_leaves_nothing_to_give_back(bench: Bench) -> None:
    claim = Held()
    meter = Meter(bench.clock, bench.sampler, None, claim)
    waits = meter.claim()
    waits.send(None)
    waits.close()
    meter.abandon()
    assert claim.holders == 0


def test_a_meter_that_opens_and_closes_without_a_span_has_measured_nothing(bench: Bench) -> None:
    meter = bench.meter()
    wait(bench.clock, meter.open())
    wait(bench.clock, meter.close())
    found = meter.measurement(precision=0.02)
    assert (found.energy_j, found.duration_s, found.rounds) == (None, 0, ())


@pytest.mark.parametrize("idle_s", [n / 37 for n in range(40)])
def test_the_first_span_begins_at_once_and_the_next_at_its_phase(bench: Bench, idle_s: float) -> None:
    bench.idle(idle_s)
    meter = bench.meter()
    wait(bench.clock, meter.open())
    opened_s = bench.clock.now()
    wait(bench.clock, meter.next_start())
    assert bench.clock.now() == opened_s
    meter.begin()
    bench.call(0.5)
    meter.end()
    wait(bench.clock, meter.next_start())
    phase = (bench.clock.now() - meter.spans[0].start_s) / 0.1 % 1
    assert phase == pytest.approx(start_phase(1), abs=0.05)


def test_without_a_period_a_span_begins_at_once(bench: Bench) -> None:
    began_s = bench.clock.now()
    wait(bench.clock, bench.meter().next_start())
    no_source = Meter(bench.clock, None, Reason("no_source", "there is no driver"))
    wait(bench.clock, no_source.next_start())
    assert bench.clock.now() == began_s
