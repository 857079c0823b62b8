"""Prefill and decode told apart, in virtual time: against the joules that were truly drawn in each."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from bench import Bench, Notes, a_ledger
from virtual_loop import Server

from pytest_whq.calling.load import load
from pytest_whq.calling.load_plan import LoadPlan
from pytest_whq.calling.repeating import repeat, run
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.combined import combine
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.model import Device, Measurement
from pytest_whq.queries.drained_stream import draining
from pytest_whq.sources.combined import CombinedSource
from pytest_whq.testing import ScriptedSource

PREFILL_W, DECODE_W = 600.0, 350.0
TOO_SHORT = (
    "prefill and decode cannot be told apart in {} of this length: the sensor refreshes too seldom for them"
)


class Streams:
    """A call whose reply streams, on a bench; it adds up what its phases truly drew."""

    def __init__(self, bench: Bench, prefill_s: float, decode_s: float, pause_s: float = 0.0) -> None:
        self.bench = bench
        self.seconds = (prefill_s, decode_s)
        self.pause_s = pause_s
        self.true_j = [0.0, 0.0]

    def __call__(self) -> Iterator[Any]:
        prefill_s, decode_s = self.seconds
        self.draw(0, prefill_s, PREFILL_W)
        yield _chunk()
        for number in range(19):
            self.draw(1, decode_s / 19, DECODE_W)
            yield _chunk(last=number == 18)
        self.bench.idle(self.pause_s)

    def draw(self, phase: int, seconds: float, watts: float) -> None:
        source, began_s = self.bench.source, self.bench.clock.now()
        self.bench.call(seconds, watts)
        self.true_j[phase] += source.true_energy_j(began_s, self.bench.clock.now())


def _chunk(*, last: bool = False) -> dict[str, Any]:
    usage = {"prompt_tokens": 100, "completion_tokens": 20} if last else None
    return {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "x"}}], "usage": usage}


def measured(
    prefill_s: float, decode_s: float, *, pause_s: float = 0.0, seed: int = 0, **how: Any
) -> tuple[Measurement, Streams]:
    """What ``whq(call)`` measures of streams of such phases, on a bench whose sensors are made as ``how``."""
    how.setdefault("phase_s", Random(seed).uniform(0, 0.1))
    bench = Bench(late_s=0.002, seed=seed, **how)
    streams = Streams(bench, prefill_s, decode_s, pause_s)
    ledger = a_ledger(bench, warmup=0, max_seconds=15.0)
    run(repeat(ledger, ledger.instruments.meter()), bench.clock, draining(streams, bench.clock.now))
    return ledger.measurement, streams


LENGTHS = pytest.mark.parametrize("seconds", [(0.5, 3.0), (0.12, 0.9), (0.05, 0.4), (0.3, 0.3)], ids=str)


@pytest.mark.once
@LENGTHS
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_counter_of_100_ms_tells_them_apart_to_one_percent(
    seconds: tuple[float, float], noise: float
) -> None:
    for seed in range(5):
        measurement, streams = measured(*seconds, seed=seed, noise=noise)
        phases = measurement.phases
        assert phases is not None
        assert phases.separated_by == "first_token"
        assert phases.prefill.energy_j == pytest.approx(streams.true_j[0], rel=0.01)
        assert phases.decode.energy_j == pytest.approx(streams.true_j[1], rel=0.01)


@pytest.mark.once
@pytest.mark.parametrize(
    "how",
    [
        {"period_s": 0.02},
        {"counter": False},
        {"counter": False, "averaging_s": 0.1},
        {"look_s": 0.025},
        {"cost_s": 0.002},
    ],
    ids=str,
)
@LENGTHS
def test_the_truth_lies_within_three_uncertainties_of_other_sensors(
    seconds: tuple[float, float], how: dict[str, Any]
) -> None:
    for seed in range(5):
        measurement, streams = measured(*seconds, seed=seed, noise=0.02, **how)
        if measurement.phases is None:
            continue
        for phase, true_j in zip(
            (measurement.phases.prefill, measurement.phases.decode), streams.true_j, strict=True
        ):
            assert abs(phase.energy_j - true_j) <= 3 * phase.uncertainty_j
            assert phase.uncertainty_j <= 0.2 * phase.energy_j


@pytest.mark.parametrize("pause_s", [0.03, 0.2])
def test_what_was_drawn_between_the_queries_belongs_to_neither(pause_s: float) -> None:
    measurement, streams = measured(0.12, 0.9, pause_s=pause_s, noise=0.02)
    phases = measurement.phases
    assert phases is not None
    assert phases.prefill.energy_j == pytest.approx(streams.true_j[0], rel=0.01)
    assert phases.decode.energy_j == pytest.approx(streams.true_j[1], rel=0.01)
    assert measurement.energy_j is not None
    assert measurement.energy_j - sum(streams.true_j) == pytest.approx(
        (measurement.queries or 0) * pause_s * 70.0, rel=0.1
    )


def test_each_is_told_per_token_with_its_time() -> None:
    measurement, _ = measured(0.12, 0.9)
    phases = measurement.phases
    assert phases is not None
    queries = measurement.queries or 0
    assert (phases.prefill.tokens, phases.decode.tokens) == (100 * queries, 20 * queries)
    assert phases.prefill.j_per_token == pytest.approx(0.12 * PREFILL_W / 100, rel=0.01)
    assert phases.decode.j_per_token == pytest.approx(0.9 * DECODE_W / 20, rel=0.01)
    assert phases.prefill.duration_s == pytest.approx(0.12 * queries)
    assert phases.decode.duration_s == pytest.approx(0.9 * queries)
    assert measurement.notes == ()


def test_without_pauses_both_make_up_the_whole() -> None:
    measurement, _ = measured(0.3, 0.7)
    phases = measurement.phases
    assert phases is not None
    assert phases.prefill.energy_j + phases.decode.energy_j == pytest.approx(measurement.energy_j)


def test_queries_too_short_for_their_sensor_are_not_told_apart_and_it_says_so() -> None:
    measurement, _ = measured(0.002, 0.003, look_s=0.025, noise=0.02)
    assert measurement.phases is None
    assert measurement.notes == (TOO_SHORT.format(f"{measurement.queries} queries"),)


def test_a_single_query_with_few_refreshes_is_not_told_apart() -> None:
    bench = Bench()
    ledger = a_ledger(bench)
    streams = Streams(bench, 0.05, 0.1)
    _in_a_window(bench, ledger, lambda meter: read_followed(ledger, meter, streams()))
    assert ledger.measurement.phases is None
    assert ledger.measurement.notes == (TOO_SHORT.format("1 query"),)


def test_one_long_query_in_a_window_is() -> None:
    bench = Bench(late_s=0.002)
    ledger = a_ledger(bench)
    streams = Streams(bench, 1.5, 4.0)
    _in_a_window(bench, ledger, lambda meter: read_followed(ledger, meter, streams()))
    phases = ledger.measurement.phases
    assert phases is not None
    assert phases.prefill.energy_j == pytest.approx(900.0, rel=0.01)
    assert phases.decode.energy_j == pytest.approx(1400.0, rel=0.01)


def read_followed(ledger: Ledger, meter: Meter, stream: Iterator[Any]) -> None:
    """Read ``stream``, which is a query of ``meter``, to its end."""
    now = ledger.clock.now
    list(ledger.reader.follow(stream, meter.tally, now, now()))


def _in_a_window(bench: Bench, ledger: Ledger, body: Any) -> None:
    meter = ledger.instruments.meter()
    wait(bench.clock, ledger.open(meter))
    meter.begin()
    body(meter)
    wait(bench.clock, ledger.close(meter))


@pytest.mark.parametrize("what", ["a failed query", "a whole reply"])
def test_what_does_not_tell_its_first_token_leaves_nothing_to_tell_apart(what: str) -> None:
    bench = Bench()
    ledger = a_ledger(bench)
    streams = Streams(bench, 0.5, 2.0)

    def body(meter: Any) -> None:
        read_followed(ledger, meter, streams())
        bench.call(1.0)
        if what == "a failed query":
            meter.tally.fail()
        else:
            meter.tally.count(ledger.reader.read(None))

    _in_a_window(bench, ledger, body)
    assert ledger.measurement.phases is None
    assert not any("told apart" in note for note in ledger.measurement.notes)


def test_streams_of_a_single_chunk_have_no_phases() -> None:
    bench = Bench()
    ledger = a_ledger(bench)

    def stream() -> Iterator[str]:
        bench.call(1.0)
        yield "all of it"

    _in_a_window(bench, ledger, lambda meter: read_followed(ledger, meter, stream()))
    assert ledger.measurement.phases is None
    assert not any("told apart" in note for note in ledger.measurement.notes)


def test_queries_in_flight_at_once_are_not_told_apart() -> None:
    server = Server()
    server.run(load(server.ledger, server.stream, [0.1] * 20, LoadPlan(2)))
    assert server.ledger.measurement.phases is None
    assert not any("told apart" in note for note in server.ledger.measurement.notes)


def test_a_load_of_one_at_a_time_is() -> None:
    server = Server()
    server.run(load(server.ledger, server.stream, [0.1] * 20, LoadPlan(1)))
    phases = server.ledger.measurement.phases
    assert phases is not None
    # The server draws the same in both, for a fifth of the time and for the rest.
    assert phases.prefill.energy_j == pytest.approx(20 * 0.1 * 150.0, rel=0.02)
    assert phases.decode.energy_j == pytest.approx(20 * 0.4 * 150.0, rel=0.02)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("prefill", "decode", "decode"), (1000.0, 1000.0)),
        (("prefill", "decode", None), None),
        (("prefill", "prefill", "prefill"), None),
        ((None, None, None), None),
    ],
)
def test_devices_with_roles_tell_the_phases_of_queries_in_flight_at_once(
    roles: tuple[str | None, ...], expected: tuple[float, float] | None
) -> None:
    bench = Bench()
    sources = [
        ScriptedSource(bench.clock, 70.0, phase_s=0.03 * n, device=Device(f"GPU-{n}", f"GPU {n}", role=role))
        for n, role in enumerate(roles)
    ]
    ledger = Ledger(Notes(bench, source=CombinedSource(sources)), Plan())

    def body(meter: Any) -> None:
        for source, watts in zip(sources, (500.0, 300.0, 200.0), strict=True):
            source.set_watts(watts)
        bench.idle(2.0)
        for source in sources:
            source.set_watts(70.0)
        meter.tally.count(ledger.reader.read(None, input_tokens=4000, output_tokens=100))

    _in_a_window(bench, ledger, body)
    phases = ledger.measurement.phases
    if expected is None:
        assert phases is None
        return
    assert phases is not None
    assert phases.separated_by == "role"
    assert (phases.prefill.energy_j, phases.decode.energy_j) == pytest.approx(expected, rel=0.005)
    assert (phases.prefill.tokens, phases.decode.tokens) == (4000, 100)
    assert phases.prefill.duration_s is None


def test_phases_of_several_measurements_add_up_or_are_not_known() -> None:
    first, second = (measured(0.12, 0.9, seed=seed)[0] for seed in (0, 1))
    assert first.phases is not None
    assert second.phases is not None
    both = combine([first, second]).phases
    assert both is not None
    assert both.prefill.energy_j == first.phases.prefill.energy_j + second.phases.prefill.energy_j
    assert both.decode.tokens == 20 * ((first.queries or 0) + (second.queries or 0))
    assert combine([first, replace(second, phases=None)]).phases is None
    by_role = replace(second, phases=replace(second.phases, separated_by="role"))
    assert combine([first, by_role]).phases is None
