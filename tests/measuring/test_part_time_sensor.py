"""A counter that looks at 25 of every 100 ms, and a load of the same period: whq(call), in virtual time."""

from random import Random
from typing import Any

from bench import BUSY_W, IDLE_W, Bench, a_ledger

from pytest_whq.calling.repeating import repeat, run
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import TokenCount


def error_of_a_try(seed: int) -> float:
    """By how much the energy of a call is off that draws for 30 ms and waits for 70 ms."""
    random = Random(seed)
    bench = Bench(
        late_s=0.002, seed=seed, period_s=0.1, phase_s=random.uniform(0, 0.1), look_s=0.025, noise=0.02
    )
    ledger = a_ledger(bench, max_seconds=20.0)
    meter = ledger.instruments.meter()

    def call() -> Any:
        bench.call(0.03, BUSY_W)
        bench.call(0.07, IDLE_W)
        return TokenCount(10, 10)

    started_s = bench.clock.now()
    run(repeat(ledger, meter), bench.clock, call)
    assert bench.clock.now() - started_s < 22.0
    return error_of(bench, meter, ledger.measurement.energy_j)


def error_of(bench: Bench, meter: Meter, energy_j: float | None) -> float:
    assert energy_j is not None
    return energy_j / sum(bench.source.true_energy_j(s.start_s, s.end_s) for s in meter.spans) - 1


def test_a_part_time_sensor_sees_all_of_a_call_that_repeats() -> None:
    errors = [error_of_a_try(seed) for seed in range(10)]
    assert sum(abs(error) <= 0.05 for error in errors) >= 9, errors
