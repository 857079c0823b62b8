from typing import Any

import pytest
from bench import BUSY_W, IDLE_W, Bench

from pytest_whq.joules.spans import Span
from pytest_whq.measuring.query_pace import pace_notes
from pytest_whq.model import TokenCount


def kept_pace(every_s: float, queries: int, *looks_s: float) -> bool:
    return bool(pace_notes(Span(5.0, 5.0 + every_s * queries), queries, looks_s))


@pytest.mark.parametrize("every_s", [0.1, 0.2, 0.3, 0.05, 0.0998, 0.1002])
def test_a_multiple_or_a_fraction_of_the_looks_is_in_step_with_them(every_s: float) -> None:
    assert kept_pace(every_s, 40, 0.1)


@pytest.mark.parametrize("every_s", [0.13, 0.45, 0.07, 0.103, 0.305])
def test_another_pace_drifts_through_all_phases(every_s: float) -> None:
    assert not kept_pace(every_s, 40, 0.1)


def test_few_queries_and_sensors_that_see_all_have_no_pace() -> None:
    assert not kept_pace(0.1, 3, 0.1)
    assert not kept_pace(0.1, 40)
    assert not kept_pace(0.1, 0, 0.1)
    assert not pace_notes(Span(5.0, 5.0), 4, [0.1])
    # Of several devices one is enough.
    assert kept_pace(0.1, 40, 0.07, 0.1)


@pytest.mark.parametrize(("how", "said"), [({"look_s": 0.025, "averaging_s": 0.025}, True), ({}, False)])
def test_a_window_on_a_part_time_sensor_says_so(how: dict[str, Any], said: bool) -> None:
    bench = Bench(late_s=0.001, period_s=0.1, **how)
    bench.idle(1.0)
    window = bench.open()
    for _ in range(20):
        bench.call(0.03, BUSY_W)
        bench.call(0.07, IDLE_W)
        window.meter.tally.succeed(TokenCount(10, 10))
    notes = [note for note in window.close().measurement.notes if "in step with a sensor" in note]
    assert len(notes) == said
