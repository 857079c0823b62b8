import re
from collections.abc import Callable
from statistics import median

import pytest
from bench import BUSY_W, Bench, Notes, a_ledger
from calls import TOLD, Calls, carry_out, measured, true_j

from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.plan import Plan, start_phase
from pytest_whq.model import Reason, TokenCount


@pytest.fixture
def bench() -> Bench:
    return Bench(phase_s=0.0123)


def test_the_reply_of_the_last_call_comes_back(bench: Bench) -> None:
    replies = iter(range(1000))

    def call() -> int:
        bench.call(0.4)
        return next(replies)

    assert carry_out(a_ledger(bench, rounds=2), call) == 14


def test_a_steady_call_takes_five_rounds_of_about_a_second(bench: Bench) -> None:
    calls = Calls(bench)
    found, meter = measured(bench, calls)
    assert [one.queries for one in found.rounds] == [4, 4, 4, 4, 4]
    assert (found.queries, found.failed_queries) == (20, 0)
    assert found.duration_s == pytest.approx(5.0)
    assert found.tokens == TokenCount(240, 100)
    assert found.energy_j == pytest.approx(true_j(bench, meter), rel=0.002)
    assert found.net_energy_j == pytest.approx(380 * 5, rel=0.005)
    assert found.wh_per_query == pytest.approx(BUSY_W * 0.25 / 3600, rel=0.002)
    assert (found.method, found.reasons) == ("counter", ())
    # One more to warm up.
    assert calls.made == 21


def test_calls_that_warm_up_are_not_counted(bench: Bench) -> None:
    calls = Calls(bench, 3.0)
    found, meter = measured(bench, calls, warmup=3, rounds=2)
    assert (calls.made, found.queries) == (5, 2)
    assert found.duration_s == pytest.approx(6.0)
    assert found.energy_j == pytest.approx(true_j(bench, meter), rel=0.002)


def test_without_warming_up_the_first_call_counts(bench: Bench) -> None:
    calls = Calls(bench, 3.0)
    assert measured(bench, calls, warmup=0, rounds=2)[0].queries == calls.made == 2


def test_as_many_rounds_run_as_are_asked_for(bench: Bench) -> None:
    found, _ = measured(bench, Calls(bench, 0.5), rounds=7, min_seconds=0.0)
    assert [one.queries for one in found.rounds] == [2] * 7
    found, _ = measured(bench, Calls(bench, 20.0), rounds=3)
    assert [one.queries for one in found.rounds] == [1] * 3


def test_long_calls_end_before_the_longest_time_would_be_over(bench: Bench) -> None:
    calls = Calls(bench, 8.0)
    found, _ = measured(bench, calls, max_seconds=30.0, warmup=0)
    assert calls.made == 3
    assert found.duration_s == pytest.approx(24.0)
    assert [reason.code for reason in found.reasons] == []


def test_a_call_longer_than_the_longest_time_is_made_once(bench: Bench) -> None:
    found, _ = measured(bench, Calls(bench, 40.0), warmup=0)
    assert (found.queries, found.interval95) == (1, {})
    assert [reason.code for reason in found.reasons] == ["imprecise"]


def unsteady(bench: Bench, spread: float) -> Callable[[], TokenCount]:
    """Calls of a second that draw more and less by ``spread`` in a pattern that never repeats."""
    numbers = iter(range(10_000))

    def call() -> TokenCount:
        bench.call(1.0, BUSY_W * (1 + spread * (2 * start_phase(next(numbers)) - 1)))
        return TOLD

    return call


def test_it_stops_once_the_interval_is_as_narrow_as_asked(bench: Bench) -> None:
    counts = [len(measured(bench, unsteady(bench, 0.04), precision=p)[0].rounds) for p in (0.1, 0.02, 0.012)]
    assert counts == sorted(counts)
    assert counts[0] == 5
    assert counts[1] < counts[2] < 28
    for precision in (0.02, 0.01):
        found, _ = measured(bench, unsteady(bench, 0.04), precision=precision)
        low, high = found.interval95["wh_per_query"]
        assert (high - low) / (high + low) <= precision * 1.1


def test_a_call_that_never_gets_precise_stops_at_the_longest_time_and_says_so(bench: Bench) -> None:
    found, _ = measured(bench, unsteady(bench, 0.9), max_seconds=12.0)
    assert len(found.rounds) == 11
    assert [reason.code for reason in found.reasons] == ["imprecise"]


@pytest.mark.parametrize(("rounds", "run"), [(None, 1), (5, 5)])
def test_a_round_in_which_all_failed_is_the_last_unless_more_are_asked_for(
    bench: Bench, rounds: int | None, run: int
) -> None:
    def refused() -> dict[str, str]:
        bench.call(0.4)
        return {"error": "too many requests"}

    found, _ = measured(bench, refused, rounds=rounds)
    assert (len(found.rounds), found.queries, found.failures) == (run, 0, {"error reply": 3 * run})
    assert [reason.code for reason in found.reasons][:2] == ["failed_queries", "no_queries"]


def test_rounds_start_at_golden_ratio_steps_of_the_refresh_period(bench: Bench) -> None:
    _, meter = measured(bench, Calls(bench, 0.2537), rounds=12)
    first_s = meter.spans[0].start_s
    for number, span in enumerate(meter.spans):
        off = ((span.start_s - first_s) / 0.1 - start_phase(number) + 0.5) % 1 - 0.5
        assert abs(off) < 0.08


def test_progress_is_shown_after_each_round(bench: Bench) -> None:
    notes = Notes(bench)
    carry_out(Ledger(notes, Plan(rounds=3)), Calls(bench))
    assert [said.partition(",")[0] for said in notes.seen] == [f"round {n} of 3" for n in (1, 2, 3)]


def test_what_is_left_of_the_seconds_is_shown_where_rounds_go_on_until_it_is_precise(bench: Bench) -> None:
    notes = Notes(bench)
    carry_out(Ledger(notes, Plan(max_seconds=20.0)), Calls(bench))
    assert re.fullmatch(r"round 1, [\d.]+ s of 20.0 s at most", notes.seen[0])


def test_without_a_source_calls_are_counted_and_timed_for_no_longer_than_they_must(bench: Bench) -> None:
    why_not = Reason("no_source", "there is no driver")
    ledger = Ledger(Notes(bench, why_not=why_not), Plan())
    calls = Calls(bench)
    carry_out(ledger, calls)
    found = ledger.measurement
    assert (found.energy_j, found.queries, found.duration_s) == (None, 20, 5.0)
    assert found.reasons == (why_not,)


@pytest.mark.parametrize(("period_s", "cost_s"), [(0.1, 0.002), (0.5, 0.0), (0.02, 0.007)])
def test_rounds_agree_with_each_other_on_poor_sensors(period_s: float, cost_s: float) -> None:
    bench = Bench(late_s=0.001, noise=0.02, period_s=period_s, cost_s=cost_s)
    found, _ = measured(bench, Calls(bench, 0.31))
    per_query_j = [one.energy_j / one.queries for one in found.rounds if one.energy_j is not None]
    assert median(per_query_j) == pytest.approx(BUSY_W * 0.31, rel=0.01)
    assert max(per_query_j) / min(per_query_j) < 1.1
