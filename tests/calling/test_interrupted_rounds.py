"""Rounds of coroutines, and rounds that an error or an interrupt ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from bench import Bench, a_ledger
from calls import TOLD, Calls, Failing, carry_out, true_j

from pytest_whq.calling.repeating import repeat, run, run_async
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import Measurement


@pytest.fixture
def bench() -> Bench:
    return Bench(phase_s=0.0123)


@pytest.mark.parametrize("error", [ValueError("the server said no"), RuntimeError("the server said no")])
def test_an_error_of_the_call_passes_and_is_a_failed_query(bench: Bench, error: Exception) -> None:
    ledger = a_ledger(bench)
    meter = ledger.instruments.meter()
    with pytest.raises(type(error), match="the server said no") as caught:
        run(repeat(ledger, meter), bench.clock, Failing(bench, 5, error))
    assert caught.value is error
    found = ledger.measurement
    assert (found.queries, found.failed_queries, len(found.rounds)) == (3, 1, 2)
    assert found.energy_j == pytest.approx(true_j(bench, meter), rel=0.005)
    assert [reason.code for reason in found.reasons] == ["failed_queries", "imprecise"]
    assert not found.valid


def test_an_error_while_warming_up_passes_and_nothing_is_measured(bench: Bench) -> None:
    ledger = a_ledger(bench)
    # An earlier window has left its readings behind.
    carry_out(ledger, Calls(bench))
    before = ledger.measurement
    began_s = bench.clock.now()
    with pytest.raises(ValueError, match=r"^no$"):
        carry_out(ledger, Failing(bench, 1, ValueError("no")))
    assert bench.clock.now() - began_s == pytest.approx(0.5)
    assert ledger.measurement == before


@pytest.mark.parametrize("kind", [KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize(("fails_at", "rounds"), [(8, 3), (10, 4)])
def test_an_interrupt_keeps_the_rounds_that_are_done(
    bench: Bench, kind: type[BaseException], fails_at: int, rounds: int
) -> None:
    ledger = a_ledger(bench)
    meter = ledger.instruments.meter()
    began_s = bench.clock.now()
    with pytest.raises(kind):
        run(repeat(ledger, meter), bench.clock, Failing(bench, fails_at, kind()))
    found = ledger.measurement
    # One call warms up, two are a round, and one was cut off.
    assert (len(found.rounds), found.queries, found.failed_queries) == (rounds, 2 * rounds, 0)
    assert found.notes[-1] == f"broken off after {rounds} rounds: it would have gone on"
    assert found.energy_j is not None
    assert found.uncertainty_j is not None
    assert abs(found.energy_j - true_j(bench, meter)) < 2 * found.uncertainty_j
    readings, took_s = bench.readings, bench.clock.now() - began_s
    bench.idle(1.0)
    assert (ledger.innermost, bench.readings) == (None, readings)
    assert took_s < 0.6 * (fails_at + 1)


@pytest.mark.parametrize("fails_at", [1, 2, 5])
@pytest.mark.parametrize("kind", [SystemExit])
def test_an_interrupt_ends_the_measurement_at_once(
    bench: Bench, kind: type[BaseException], fails_at: int
) -> None:
    ledger = a_ledger(bench)
    calls = Failing(bench, fails_at, kind())
    with pytest.raises(kind):
        carry_out(ledger, calls)
    given_back(bench, ledger)


def given_back(bench: Bench, ledger: Ledger) -> None:
    """Nothing was measured, nothing is open and nothing reads any more."""
    assert not ledger.has_measured
    assert ledger.innermost is None
    readings = bench.readings
    bench.idle(1.0)
    assert bench.readings == readings


@pytest.mark.parametrize("kind", [KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("moment", ["open", "next_start", "conclude"])
def test_an_interrupt_of_a_wait_ends_the_measurement_too(
    bench: Bench, moment: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = getattr(Meter, moment)

    async def interrupted(meter: Meter) -> None:
        monkeypatch.setattr(bench.clock, "sleep", interrupt)
        await waits(meter)

    def interrupt(seconds: float) -> None:
        monkeypatch.undo()
        raise kind

    monkeypatch.setattr(Meter, moment, interrupted)
    ledger = a_ledger(bench, warmup=0, rounds=2)
    with pytest.raises(kind) as caught:
        carry_out(ledger, Calls(bench))
    given_back(bench, ledger)
    # The traceback keeps frames alive: nothing was given back by being forgotten.
    assert caught.tb is not None


def test_a_coroutine_function_is_measured_like_a_function() -> None:
    def found(asynchronous: bool) -> Measurement:
        bench = Bench(phase_s=0.0123)
        ledger, calls = a_ledger(bench), Calls(bench)
        steps = repeat(ledger, ledger.instruments.meter())
        if asynchronous:
            assert asyncio.run(run_async(steps, bench.clock, calls.awaited)) == TOLD
        else:
            assert run(steps, bench.clock, calls) == TOLD
        return ledger.measurement

    assert found(asynchronous=True) == found(asynchronous=False)


def test_an_error_of_a_coroutine_passes_and_is_a_failed_query(bench: Bench) -> None:
    ledger, calls = a_ledger(bench), Failing(bench, 3, ValueError("no"))
    steps = repeat(ledger, ledger.instruments.meter())
    with pytest.raises(ValueError, match=r"^no$"):
        asyncio.run(run_async(steps, bench.clock, calls.awaited))
    assert (ledger.measurement.queries, ledger.measurement.failed_queries) == (1, 1)


def test_a_function_that_returns_awaitables_is_awaited(bench: Bench) -> None:
    ledger, calls = a_ledger(bench), Calls(bench)
    pending = carry_out(ledger, calls.awaited)
    assert (calls.made, ledger.has_measured) == (0, False)
    assert asyncio.run(pending) == TOLD
    assert (calls.made, ledger.measurement.queries) == (21, 20)


def test_awaitables_that_count_as_false_are_awaited_too(bench: Bench) -> None:
    class Empty:
        made = 0

        def __init__(self) -> None:
            Empty.made += 1

        def __bool__(self) -> bool:
            return False

        def __await__(self) -> Iterator[Any]:
            bench.call(0.5)
            return iter(())

    ledger = a_ledger(bench)
    asyncio.run(carry_out(ledger, Empty))
    assert (Empty.made, ledger.measurement.queries) == (11, 10)


def test_a_task_that_is_cancelled_gives_the_source_back(bench: Bench) -> None:
    ledger = a_ledger(bench)

    async def never() -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        steps = repeat(ledger, ledger.instruments.meter())
        task = asyncio.create_task(run_async(steps, bench.clock, never))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    given_back(bench, ledger)


def test_a_stop_iteration_of_the_call_passes_as_it_is(bench: Bench) -> None:
    ledger = a_ledger(bench)
    with pytest.raises(StopIteration, match=r"^the end$"):
        carry_out(ledger, Failing(bench, 3, StopIteration("the end")))
    assert ledger.measurement.failed_queries == 1
