from dataclasses import replace
from typing import Any

import pytest
from samples import H200, NOTHING, RIG, a_record, a_run

from pytest_whq.errors import SettingError
from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.policies import (
    WHERE_NAMED,
    Policies,
    policies_from,
    regression_sentence,
    warning_lines,
)
from pytest_whq.judging.regressions import Against, Limit, compare, limit_for
from pytest_whq.judging.run_comparison import Rules, compare_run, compare_runs
from pytest_whq.judging.run_noise import Noise
from pytest_whq.judging.running_comparison import RunningComparison
from pytest_whq.model import Comparison, Gap, Record, Rig, Run, TokenCount
from pytest_whq.model.baseline import Accepted, Baseline, accept, entry_of
from pytest_whq.model.verdicts import ComparisonOutcome
from pytest_whq.setting_values import change_allowed

TEST = "tests/test_chat.py::test_short"


def steady(energy_j: float = 884.0, output_tokens: int | None = 2560, **changes: Any) -> Record:
    """A record of 20 queries whose figures are exact, but for the run noise."""
    tokens = TokenCount(input_tokens=5120, output_tokens=output_tokens)
    return a_record(
        TEST, **({"energy_j": energy_j, "tokens": tokens, "interval95": {}, "uncertainty_j": 0.0} | changes)
    )


def accepted(*records: Record, rig: Rig = RIG) -> Baseline:
    """A baseline of one run for each of ``records``, one a day."""
    baseline = Baseline({})
    for day, record in enumerate(records, start=1):
        run = replace(a_run(record, rig=rig), created=f"2026-11-{day:02}T08:00:00Z")
        baseline = accept(baseline, run).baseline
    return baseline


def compared(record: Record, baseline: Baseline, limit: Limit = Limit(), rig: Rig = RIG) -> Comparison:  # noqa: B008
    return RunningComparison(baseline, tests=1).compare(record, rig, limit)


def test_a_change_beyond_the_limit_is_told_with_what_it_is_from() -> None:
    comparison = compared(steady(972.4), accepted(steady(), steady(884.1), steady(883.9)))
    assert comparison.baseline == pytest.approx(0.0122778, rel=1e-5)
    assert comparison.change == pytest.approx(0.1)
    assert comparison.interval95 == pytest.approx((0.0694, 0.1315), abs=1e-4)
    assert comparison == replace(
        comparison,
        metric="wh_per_query",
        outcome="regressed",
        limit=0.05,
        origin="default",
        runs=3,
        created="2026-11-03T08:00:00Z",
        commit=a_run().commit,
        likely_cause=None,
    )
    assert comparison.per_token is not None
    assert (comparison.per_token.metric, comparison.per_token.outcome) == ("j_per_output_token", "regressed")
    assert regression_sentence(comparison, 0.0135) == (
        "wh_per_query is 13.5 mWh, +10.0 % (+6.9 % to +13.2 %) from its baseline of 12.3 mWh "
        "(3 runs, the last of 2026-11-03, commit c0ffee), more than the 5.0 % allowed (default); "
        "j_per_output_token regressed (+10.0 %)."
    )


def test_longer_answers_are_named_as_the_likely_cause() -> None:
    comparison = compared(steady(972.4, output_tokens=2816), accepted(steady()))
    assert comparison.outcome == "regressed"
    assert comparison.likely_cause == "output tokens per query changed by +10.0 %, from 128 to 140.8"
    assert comparison.per_token is not None
    assert comparison.per_token.outcome == "unchanged"
    assert regression_sentence(comparison, 0.0135).endswith(
        "more than the 5.0 % allowed (default); likely cause: output tokens per query changed by +10.0 %, "
        "from 128 to 140.8; j_per_output_token unchanged (+0.0 %)."
    )


@pytest.mark.parametrize(
    ("output_tokens", "input_tokens", "cause"),
    [
        (2560, 5120, None),
        (2660, 5120, None),  # 3.9 % does not explain 10 %
        (2300, 5120, None),  # nor do shorter answers
        (2700, 5120, "output tokens per query changed by +5.5 %, from 128 to 135"),
        (2560, 5376, None),  # 5 % more input does not explain 10 %
        (2560, 6144, "input tokens per query changed by +20.0 %, from 256 to 307.2"),
        (None, None, None),
    ],
)
def test_token_counts_explain_only_what_they_can(
    output_tokens: int | None, input_tokens: int | None, cause: str | None
) -> None:
    tokens = TokenCount(input_tokens=input_tokens, output_tokens=output_tokens)
    assert compared(steady(972.4, tokens=tokens), accepted(steady())).likely_cause == cause


def test_energy_per_token_that_shorter_answers_hide_is_warned_of_and_fails_nothing() -> None:
    comparison = compared(steady(884.0, output_tokens=2048), accepted(steady()))
    assert comparison.outcome == "unchanged"
    assert comparison.per_token is not None
    assert comparison.per_token.outcome == "regressed"
    assert not Policies(inconclusive="fail").applied(comparison).fails
    assert warning_lines([a_record(TEST, comparison=comparison)], Policies()) == [
        "1 test with more energy per output token than the baseline, though not per query"
    ]


def test_without_tokens_there_is_no_verdict_on_them() -> None:
    assert compared(steady(output_tokens=None), accepted(steady())).per_token is None


def test_a_test_that_the_baseline_lacks_is_new() -> None:
    comparison = compared(steady(), Baseline({}))
    assert comparison == Comparison("wh_per_query", None, None, None, "new", limit=0.05, origin="default")
    assert regression_sentence(comparison, 0.0123) == (
        "wh_per_query cannot be compared with its baseline: "
        "the baseline does not have this test; accept it to make one."
    )


def test_what_the_baseline_has_and_the_run_has_no_figure_of_is_not_measured() -> None:
    comparison = compared(replace(NOTHING, test=TEST), accepted(steady()))
    assert (comparison.outcome, comparison.why) == ("not_measured", "nvml: driver not loaded")
    assert regression_sentence(comparison, None) == (
        "wh_per_query was not measured, though the baseline has this test: nvml: driver not loaded."
    )
    assert warning_lines([a_record(TEST, comparison=comparison)], Policies()) == [
        "1 test not measured, though in the baseline: nvml: driver not loaded"
    ]


def test_what_has_no_figure_on_either_side_is_new() -> None:
    comparison = compared(replace(NOTHING, test=TEST), Baseline({}))
    assert (comparison.outcome, comparison.why) == ("new", "it was not measured: nvml: driver not loaded")


def test_what_is_not_measured_fails_where_a_source_is_named() -> None:
    comparison = compared(replace(NOTHING, test=TEST), accepted(steady()))
    assert WHERE_NAMED.applied(comparison).fails
    assert not Policies().applied(comparison).fails


@pytest.mark.parametrize(
    ("rig", "changes", "differences"),
    [
        (replace(RIG, source="rapl"), {}, ("source rapl, in the baseline nvml",)),
        (replace(RIG, scope=None), {}, ("scope unknown, in the baseline gpu",)),
        (RIG, {"method": "power"}, ("method power, in the baseline counter",)),
        (
            replace(RIG, devices=(replace(H200, power_limit_w=600.5),)),
            {},
            ("power limit 600.5 W, in the baseline 700 W",),
        ),
        (
            replace(RIG, devices=(H200, replace(H200, id="GPU-2"))),
            {"devices": ()},
            ("2 x NVIDIA H200, in the baseline NVIDIA H200",),
        ),
        (replace(RIG, devices=()), {}, ("no device, in the baseline NVIDIA H200",)),
        (
            replace(RIG, devices=(replace(H200, role="decode"),)),
            {},
            ("role decode, in the baseline none",),
        ),
        (
            replace(RIG, scope="module", devices=(replace(H200, name="NVIDIA L4"),)),
            {},
            ("scope module, in the baseline gpu", "NVIDIA L4, in the baseline NVIDIA H200"),
        ),
    ],
)
def test_rigs_that_differ_are_not_compared_and_the_differences_are_listed(
    rig: Rig, changes: dict[str, Any], differences: tuple[str, ...]
) -> None:
    comparison = compared(steady(**changes), accepted(steady()), rig=rig)
    assert (comparison.outcome, comparison.differences) == ("not_comparable", differences)
    assert regression_sentence(comparison, 0.01) == (
        f"wh_per_query cannot be compared with its baseline: {'; '.join(differences)}."
    )


def test_drivers_and_hosts_may_differ() -> None:
    other = replace(RIG, driver="590", host="b", python="3.14")
    assert compared(steady(devices=()), accepted(steady()), rig=other).outcome == "unchanged"


OTHER_BOARD = replace(RIG, devices=(replace(H200, id="GPU-9"),))


def test_another_board_of_the_model_is_another_rig() -> None:
    comparison = compared(steady(devices=()), accepted(steady()), rig=OTHER_BOARD)
    assert comparison.outcome == "not_comparable"
    assert comparison.differences == (f"the same model, but the board GPU-9, in the baseline {H200.id}",)


def test_another_board_is_compared_where_that_is_asked_for_with_a_wider_noise_and_said() -> None:
    noise = Noise(other_boards=0.04)
    for energy_j, outcome in ((884.0 * 1.08, "inconclusive"), (884.0 * 1.5, "regressed")):
        running = RunningComparison(accepted(steady()), 1, noise)
        comparison = running.compare(steady(energy_j, devices=()), OTHER_BOARD, Limit())
        assert comparison.outcome == outcome
        assert comparison.differences == (f"the same model, but the board GPU-9, in the baseline {H200.id}",)
    assert warning_lines([a_record(TEST, comparison=comparison)], Policies()) == [
        f"1 test compared with a baseline of the same model, but the board GPU-9, in the baseline {H200.id}"
    ]


@pytest.mark.parametrize("regression", ["5", "100%"])
def test_a_change_of_all_of_the_energy_is_no_limit(regression: str) -> None:
    with pytest.raises(SettingError, match=r'such as "5%" or 0.05, not .*, which is [15]00 %'):
        change_allowed("max_regression", regression)


def test_power_limits_that_changed_places_are_a_difference() -> None:
    one, other = replace(H200, role="prefill"), replace(H200, id="GPU-2", role="decode", power_limit_w=500.0)
    swapped = (replace(one, power_limit_w=500.0), replace(other, power_limit_w=700.0))
    base = accepted(steady(devices=()), rig=replace(RIG, devices=(one, other)))
    comparison = compared(steady(devices=()), base, rig=replace(RIG, devices=swapped))
    assert comparison.differences == ("the power limits or roles belong to other devices",)


def test_only_runs_of_the_same_rig_are_compared_with() -> None:
    l4 = replace(RIG, devices=(replace(H200, name="NVIDIA L4"),))
    mixed = Baseline({TEST: accepted(steady()).of(TEST) + accepted(steady(100.0), rig=l4).of(TEST)})
    comparison = compared(steady(), mixed)
    assert (comparison.outcome, comparison.runs) == ("unchanged", 1)


def test_a_small_limit_needs_more_runs_than_one() -> None:
    tight = Limit(0.03, "marker")
    comparison = compared(steady(), accepted(steady()), tight)
    assert comparison.outcome == "unchanged"
    noisy = compared(steady(uncertainty_j=17.68), accepted(steady()), tight)
    assert (noisy.outcome, noisy.why) == (
        "inconclusive",
        "a change of 6.0 %, twice the limit, cannot be excluded",
    )
    assert regression_sentence(noisy, 0.01228) == (
        "wh_per_query is 12.3 mWh, +0.0 % (-6.6 % to +7.0 %) from its baseline of 12.3 mWh "
        "(1 run of 2026-11-01, commit c0ffee), too noisy to tell from the 3.0 % allowed (marker): "
        "a change of 6.0 %, twice the limit, cannot be excluded; j_per_output_token inconclusive (+0.0 %)."
    )


def test_the_uncertainty_of_the_sensor_counts_where_it_is_more_than_the_spread_of_rounds() -> None:
    unsure = compared(steady(972.4, uncertainty_j=97.24), accepted(steady()))
    assert (unsure.outcome, unsure.why) == (
        "inconclusive",
        "the change is beyond the limit, but no change at all cannot be excluded",
    )


LIMITS = (
    BudgetEntry({}, "whq.toml, budgets[0]", max_regression=0.02),
    BudgetEntry({}, "whq.toml, budgets[1]", tests="other.py::*", max_regression=0.5),
    BudgetEntry({}, "whq.toml, budgets[2]", hardware="NVIDIA L4", max_regression=0.6),
    BudgetEntry({"wh_per_query": 1.0}, "whq.toml, budgets[3]"),
)


def test_the_nearest_limit_wins() -> None:
    marker = (BudgetEntry({"wh_per_query": 1.0}, "marker"), BudgetEntry({}, "marker", max_regression=0.3))
    default = Limit(0.1, "--whq-max-regression")
    assert limit_for(TEST, [H200]) == Limit(0.05, "default")
    assert limit_for(TEST, [H200], default=default) == default
    assert limit_for(TEST, [H200], file=LIMITS, default=default) == Limit(0.02, "whq.toml, budgets[0]")
    assert limit_for("other.py::t", [H200], file=LIMITS).max_regression == 0.5
    assert limit_for(TEST, [replace(H200, name="nvidia l4")], file=LIMITS).max_regression == 0.6
    assert limit_for(TEST, [H200], marker=marker, file=LIMITS) == Limit(0.3, "marker")


def test_policies_are_set_by_case() -> None:
    policies = policies_from(["new=fail", " inconclusive = pass "], "--whq-when", Policies())
    assert policies == Policies("warn", "fail", "warn", "pass")
    with pytest.raises(SettingError) as error:
        policies_from(["regressed=pass"], "--whq-when", Policies())
    assert str(error.value) == (
        "--whq-when cannot be 'regressed=pass': it is CASE=POLICY, of no_baseline, new, not_comparable, "
        "inconclusive, not_measured and pass, warn, fail."
    )


@pytest.mark.parametrize("outcome", ["new", "not_comparable", "inconclusive", "not_measured"])
def test_each_policy_fails_warns_or_passes(outcome: ComparisonOutcome) -> None:
    comparison = Comparison("wh_per_query", None, None, None, outcome)
    found = {
        policy: (policies.applied(comparison).fails, policies.warns(comparison))
        for policy in ("pass", "warn", "fail")
        for policies in [policies_from([f"{outcome}={policy}"], "", WHERE_NAMED)]
    }
    assert found == {"pass": (False, False), "warn": (False, True), "fail": (True, False)}


def test_warnings_are_counted() -> None:
    new, other = (
        compared(steady(), Baseline({})),
        compared(steady(), accepted(steady()), rig=replace(RIG, scope="module")),
    )
    records = [
        a_record(str(n), comparison=comparison) for n, comparison in enumerate([new, new, other, None])
    ]
    assert warning_lines(records, Policies()) == [
        "2 tests new, not in the baseline: accept with --whq-update-baseline or whq accept",
        "1 test not comparable with the baseline: scope module, in the baseline gpu",
    ]


def test_what_cannot_be_accepted_is_not_told_to_be() -> None:
    new = replace(steady(), comparison=compared(steady(), Baseline({})))
    assert warning_lines([new], Policies(), {TEST: "the test failed"}) == [
        "1 test new, not in the baseline, and cannot be accepted: the test failed"
    ]


def runs(*energies_j: float) -> list[Run]:
    days = enumerate(energies_j, start=1)
    return [replace(a_run(steady(e)), created=f"2026-11-{day:02}T08:00:00Z") for day, e in days]


def test_several_runs_are_compared_with_several() -> None:
    base, head = runs(880.0, 884.0, 888.0), runs(968.0, 972.4, 976.8)
    result = compare_runs(base, head, Rules())
    (record,) = result.records
    assert record.measurement.energy_j == pytest.approx(968.0 + 972.4 + 976.8)
    assert record.comparison is not None
    assert record.comparison.outcome == "regressed"
    assert record.comparison.change == pytest.approx(0.1)
    assert (record.comparison.runs, result.gaps) == (3, ())


def test_more_than_ten_runs_count_where_they_are_named() -> None:
    (record,) = compare_runs(runs(*[884.0] * 12), runs(884.0), Rules()).records
    assert record.comparison is not None
    assert record.comparison.runs == 12


def test_tests_that_only_one_side_has_are_told() -> None:
    base = [a_run(steady(), a_record("gone"), replace(NOTHING, test="dark"))]
    result = compare_runs(base, [a_run(steady(), a_record("new"), a_record("dark"))], Rules())
    assert result.gaps == (Gap("only_in_base", "gone"),)
    comparisons = {record.test: record.comparison for record in result.records}
    assert {test: found.outcome for test, found in comparisons.items() if found} == {
        TEST: "unchanged",
        "new": "new",
        "dark": "new",
    }
    assert comparisons["dark"] is not None
    assert comparisons["dark"].why == "the base has no valid figure of this test: nvml: driver not loaded"


def test_heads_of_different_rigs_are_not_compared() -> None:
    heads = [a_run(steady()), a_run(steady(), rig=replace(RIG, scope="module"))]
    (record,) = compare_runs(runs(884.0), heads, Rules()).records
    assert record.comparison is not None
    assert record.comparison.differences == ("scope module, in another of the runs to compare gpu",)


def test_a_run_is_compared_by_the_limits_of_a_file() -> None:
    run = compare_run(a_run(steady(920.0)), accepted(steady()), Rules(entries=LIMITS))
    comparison = run.records[0].comparison
    assert comparison is not None
    assert (comparison.outcome, comparison.origin) == ("regressed", "whq.toml, budgets[0]")


@pytest.mark.once
@pytest.mark.untraced
def test_ten_thousand_tests_with_ten_runs_each_are_compared() -> None:
    run = a_run(steady())
    entries = tuple(replace(entry_of(steady(), run), energy_j=880.0 + n) for n in range(10))
    baseline = Baseline({f"{TEST}[{n}]": entries for n in range(10_000)})
    records = [replace(steady(), test=f"{TEST}[{n}]") for n in range(10_000)]
    judged = compare_run(a_run(*records), baseline, Rules())
    assert {record.comparison and record.comparison.outcome for record in judged.records} == {"unchanged"}


def test_compare_takes_the_entries_themselves() -> None:
    head: list[Accepted] = [entry_of(steady(884.0), a_run())]
    assert [one.change for one in compare([Against(head, head)])] == [0.0]


@pytest.mark.parametrize(
    ("output_tokens", "cause"),
    [
        (2609, None),
        (2614, "output tokens per query changed by +2.1 %, from 128 to 130.7"),
    ],
)
def test_token_counts_that_changed_by_less_than_two_percent_explain_nothing(
    output_tokens: int, cause: str | None
) -> None:
    # Both are more than half of the 3 % that the energy grew by.
    comparison = compared(steady(884.0 * 1.03, output_tokens=output_tokens), accepted(steady()), Limit(0.01))
    assert comparison.outcome != "unchanged"
    assert comparison.likely_cause == cause
