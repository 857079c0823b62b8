"""Spans, tallies and joules put together: pure, so every figure is exact."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_whq.joules.spans import Span, SpanEnergies
from pytest_whq.measuring.combined import combine
from pytest_whq.measuring.result import measurement_of
from pytest_whq.model import METRICS, DeviceEnergy, Measurement, Reason, Round, TokenCount
from pytest_whq.queries.tally import Tally

SPANS = [Span(0.0, 1.0), Span(1.5, 2.5), Span(3.0, 5.0)]
ENERGIES = {
    "GPU-0": SpanEnergies("counter", (100.0, 110.0, 210.0), 3.0, idle_w=20.0, idle_error_w=3.0),
    "GPU-1": SpanEnergies("counter", (50.0, 50.0, 100.0), 4.0, idle_w=10.0),
}


TOLD = TokenCount(10, 5)


def a_tally(queries: int = 2, failed: int = 0, tokens: TokenCount = TOLD, why: str | None = None) -> Tally:
    tally = Tally()
    for _ in range(queries):
        tally.succeed(tokens, why)
    for _ in range(failed):
        tally.fail()
    return tally


TALLIES = [a_tally(2), a_tally(2), a_tally(4)]


def put_together(
    tallies: Sequence[Tally] = TALLIES,
    energies: Mapping[str, SpanEnergies] = ENERGIES,
    why_not: Reason | None = None,
    **how: Any,
) -> Measurement:
    return measurement_of(SPANS, tallies, energies, why_not, **{"precision": 0.05, **how})


def codes(measurement: Measurement) -> list[str]:
    return [reason.code for reason in measurement.reasons]


def sentence(measurement: Measurement, code: str) -> str:
    (found,) = [reason.sentence for reason in measurement.reasons if reason.code == code]
    return found


def test_the_energies_of_devices_and_spans_add_up() -> None:
    found = put_together()
    assert found == Measurement(
        method="counter",
        energy_j=620.0,
        net_energy_j=620.0 - 30 * 4,
        uncertainty_j=5.0,
        duration_s=4.0,
        queries=8,
        failed_queries=0,
        tokens=TokenCount(80, 40),
        devices=(DeviceEnergy("GPU-0", 420.0), DeviceEnergy("GPU-1", 200.0)),
        rounds=(
            Round(150.0, 120.0, 1.0, 2, 20, 10),
            Round(160.0, 130.0, 1.0, 2, 20, 10),
            Round(310.0, 250.0, 2.0, 4, 40, 20),
        ),
        net_uncertainty_j=13.0,
    )
    assert found.valid


def test_net_energy_is_unknown_where_one_level_outside_is() -> None:
    energies = {**ENERGIES, "GPU-1": replace(ENERGIES["GPU-1"], idle_w=None)}
    found = put_together(energies=energies)
    assert (found.energy_j, found.net_energy_j, found.net_uncertainty_j) == (620.0, None, None)
    assert [one.net_energy_j for one in found.rounds] == [None, None, None]


def test_the_poorest_method_of_the_devices_is_that_of_the_sum() -> None:
    energies = {**ENERGIES, "GPU-1": replace(ENERGIES["GPU-1"], method="power")}
    assert put_together(energies=energies).method == "power"


def test_an_estimate_says_so() -> None:
    found = put_together(estimated=True)
    assert (found.method, codes(found)) == ("estimate", ["estimated"])
    assert sentence(found, "estimated") == "no sensor was read: the energy is modelled from CPU time"


def test_without_a_source_there_are_only_counts_and_times_and_the_reason() -> None:
    reason = Reason("no_source", "there is no driver")
    found = put_together(energies={}, why_not=reason)
    assert (found.method, found.energy_j, found.net_energy_j, found.uncertainty_j) == (None,) * 4
    assert (found.duration_s, found.queries, found.tokens) == (4.0, 8, TokenCount(80, 40))
    assert (found.devices, found.reasons) == ((), (reason,))
    assert found.rounds[0] == Round(None, None, 1.0, 2, 20, 10)


def test_what_was_measured_of_a_spoiled_window_is_not_shown() -> None:
    found = put_together(why_not=Reason("source_error", "the GPU is lost"))
    assert (found.energy_j, found.devices, found.uncertainty_j) == (None, (), None)


def test_rounds_of_one_call_have_intervals() -> None:
    found = put_together(repeated=True)
    # 155 / 2 J per query on average; rounds of 150, 160, 310 J for 2, 2, 4 queries.
    half = 4.303 * math.sqrt((25 + 25 + 0) / 6) / (8 / 3) / 77.5
    value = found.wh_per_query
    assert value is not None
    assert found.interval95["wh_per_query"] == pytest.approx((value * (1 - half), value * (1 + half)))
    assert set(found.interval95) == {name for name, metric in METRICS.items() if metric.is_ratio}
    # 4.303 x sqrt(50 / 6) / (8 / 3) / 77.5 is 6.0 %.
    assert sentence(found, "imprecise") == ("the 95 % interval is ± 6.0 %, wider than the ± 5.0 % asked for")


def test_a_window_of_its_own_has_no_interval_but_an_uncertainty() -> None:
    assert put_together().interval95 == {}
    assert codes(put_together(precision=0.0162)) == []
    assert sentence(put_together(precision=0.016), "imprecise") == (
        "the energy is uncertain by ± 1.61 %, wider than the ± 1.60 % asked for"
    )


def test_too_few_rounds_have_no_interval() -> None:
    found = measurement_of(SPANS[:1], TALLIES[:1], ENERGIES, None, repeated=True, precision=0.05)
    assert sentence(found, "imprecise") == ("the 95 % interval is unknown, wider than the ± 5.0 % asked for")


def test_an_energy_that_is_mostly_doubt_is_of_a_window_too_short() -> None:
    energies = {"GPU-0": replace(ENERGIES["GPU-0"], uncertainty_j=90.0)}
    found = put_together(energies=energies)
    assert (codes(found), found.valid) == (["window_too_short"], False)
    assert sentence(found, "window_too_short") == (
        "the window lasted 4.0 s, too short for its sensor: ± 180 J on 420 J"
    )


def test_failed_queries_are_counted_and_their_energy_stays() -> None:
    found = put_together([a_tally(1, failed=1), a_tally(2), a_tally(3, failed=1)])
    assert (found.queries, found.failed_queries, found.energy_j) == (6, 2, 620.0)
    assert (codes(found), sentence(found, "failed_queries")) == (["failed_queries"], "2 of 8 queries failed")


def test_a_window_without_queries_says_so() -> None:
    found = put_together([a_tally(0)] * 3)
    assert codes(found) == ["no_queries"]
    assert sentence(found, "no_queries") == "no query succeeded, or none was recorded with window.record"
    assert found.tokens == TokenCount()


def test_what_failed_altogether_says_so_before_what_follows_from_it() -> None:
    short = Reason("window_too_short", "a window of 0 ms is too short")
    failed = measurement_of(SPANS[:1], [a_tally(0, failed=1)], {}, short, repeated=True, precision=0.05)
    assert codes(failed)[:3] == ["failed_queries", "no_queries", "window_too_short"]
    assert failed.why_unmeasured == "1 of 1 queries failed"
    answered = measurement_of(SPANS[:1], [a_tally(1, failed=1)], {}, short, repeated=True, precision=0.05)
    assert codes(answered)[:2] == ["window_too_short", "failed_queries"]


def test_a_round_without_queries_takes_no_tokens_away() -> None:
    assert put_together([a_tally(2), a_tally(0, failed=1), a_tally(1)]).tokens == TokenCount(30, 15)


def test_missing_tokens_are_told_by_the_first_reply_that_could_not_be_read() -> None:
    unread = a_tally(1, tokens=TokenCount(), why="a str tells no tokens")
    found = put_together([a_tally(2), unread, a_tally(1, tokens=TokenCount(), why="nor does an int")])
    assert codes(found) == ["tokens_missing"]
    assert sentence(found, "tokens_missing") == "a str tells no tokens"


def test_replies_that_tell_only_their_output_miss_tokens() -> None:
    found = put_together([a_tally(1, tokens=TokenCount(None, 5))] * 3)
    assert found.tokens == TokenCount(None, 15)
    assert sentence(found, "tokens_missing") == "the replies do not tell their tokens"


def test_warnings_of_the_devices_come_last_and_each_code_once() -> None:
    hot, slow = Reason("thermal_drift", "it warmed up"), Reason("throttled", "clocks were cut")
    found = put_together([a_tally(2, failed=1)] * 3, conditions=[hot, slow, replace(hot, sentence="again")])
    assert codes(found) == ["failed_queries", "thermal_drift", "throttled"]
    assert sentence(found, "thermal_drift") == "it warmed up"


def rising(step_j: float) -> Measurement:
    spans = [Span(n, n + 1.0) for n in range(6)]
    energies_j = tuple(100.0 + step_j * n for n in range(6))
    parts = {"GPU-0": SpanEnergies("counter", energies_j, 0.1, idle_w=10.0)}
    return measurement_of(spans, [a_tally(1)] * 6, parts, None, repeated=True, precision=0.03)


def test_energy_that_rises_from_round_to_round_is_a_drift() -> None:
    assert codes(rising(0.5)) == []
    assert "thermal_drift" in codes(rising(1.0))
    assert sentence(rising(1.0), "thermal_drift") == (
        "Wh/query moved by +4.9 % from the first round to the last: warm up longer with warmup"
    )


def test_rounds_that_are_each_like_the_one_before_are_said_to_be() -> None:
    spans = [Span(n, n + 1.0) for n in range(18)]
    energies_j = tuple(
        100.0 + step for step in (0, 9, 14, 13, 8, -1, -9, -14, -13, -8, 1, 9, 14, 13, 8, 0, -8, -13)
    )
    parts = {"GPU-0": SpanEnergies("counter", energies_j, 0.1, idle_w=10.0)}
    found = measurement_of(spans, [a_tally(1)] * 18, parts, None, repeated=True, precision=0.03)
    assert sentence(found, "thermal_drift").startswith("each round was like the one before it (correlation ")


def test_one_measurement_combined_is_itself() -> None:
    one = put_together(repeated=True)
    assert combine([one]) is one


def test_measurements_combine_to_their_sums() -> None:
    first = put_together()
    second = replace(
        first,
        energy_j=100.0,
        net_energy_j=80.0,
        uncertainty_j=12.0,
        net_uncertainty_j=84.0,
        queries=2,
        failed_queries=1,
        devices=(DeviceEnergy("GPU-0", 60.0), DeviceEnergy("GPU-1", 40.0)),
        interval95={"wh_per_query": (1.0, 2.0)},
        reasons=(Reason("failed_queries", "1 of 3 queries failed"),),
    )
    found = combine([first, second])
    assert (found.energy_j, found.net_energy_j, found.uncertainty_j) == (720.0, 580.0, 17.0)
    assert found.net_uncertainty_j == 97.0
    assert (found.queries, found.failed_queries, found.duration_s) == (10, 1, 8.0)
    assert found.tokens == TokenCount(160, 80)
    assert found.devices == (DeviceEnergy("GPU-0", 480.0), DeviceEnergy("GPU-1", 240.0))
    assert (found.method, len(found.rounds), found.interval95) == ("counter", 6, {})
    assert codes(found) == ["failed_queries"]


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    first, lost = put_together(), put_together(energies={}, why_not=Reason("source_error", "lost"))
    for found in (combine([first, lost]), combine([lost, first])):
        assert (found.energy_j, found.net_energy_j, found.uncertainty_j) == (None, None, None)
        assert found.devices == (DeviceEnergy("GPU-0", None), DeviceEnergy("GPU-1", None))
        assert (found.queries, found.valid) == (16, False)


def test_of_several_reasons_with_the_same_code_the_first_one_is_kept() -> None:
    first = replace(put_together(), reasons=(Reason("throttled", "early"),))
    second = replace(put_together(), reasons=(Reason("imprecise", "wide"), Reason("throttled", "late")))
    found = combine([first, second])
    assert sentence(found, "throttled") == "early"
    assert sorted(codes(found)) == ["imprecise", "throttled"]


def test_measurements_by_different_methods_combine_to_the_poorer_one() -> None:
    counted = put_together()
    integrated = replace(counted, method="power")
    assert combine([counted, integrated]).method == "power"


def test_a_window_without_queries_takes_no_tokens_from_another() -> None:
    empty = put_together([a_tally(0)] * 3)
    found = combine([put_together(), empty])
    assert (found.tokens, found.queries) == (TokenCount(80, 40), 8)
