from collections.abc import Sequence

import pytest

from pytest_whq.judging.budgets import Budget, failing_sentence, judge_budgets
from pytest_whq.model import BudgetVerdict, Device, Measurement, Method, Reason, TokenCount

H200 = Device(id="GPU-1", name="NVIDIA H200", power_limit_w=700.0)
A100 = Device(id="GPU-2", name="NVIDIA A100-SXM4-80GB")
TEST = "tests/test_chat.py::test_short[gpt-oss]"


def measured(
    energy_j: float | None = 698.4,
    queries: int = 20,
    failed_queries: int = 0,
    tokens: TokenCount | None = None,
    method: Method | None = "counter",
    reasons: tuple[Reason, ...] = (),
) -> Measurement:
    """20 queries of 9.7 mWh, with 256 input and 128 output tokens each."""
    return Measurement(
        method=method,
        energy_j=energy_j,
        net_energy_j=None,
        uncertainty_j=None,
        duration_s=2.0,
        queries=queries,
        failed_queries=failed_queries,
        tokens=tokens or TokenCount(input_tokens=5120, output_tokens=2560),
        devices=(),
        rounds=(),
        reasons=reasons,
    )


def budget(limit: float = 0.01, origin: str = "somewhere", **conditions: str | bool) -> Budget:
    return Budget("wh_per_query", limit, origin, **conditions)  # type: ignore[arg-type]


def origins(verdicts: Sequence[BudgetVerdict]) -> list[str]:
    return [verdict.origin for verdict in verdicts]


def judge_one(a_budget: Budget, measurement: Measurement, *devices: Device) -> BudgetVerdict:
    (verdict,) = judge_budgets(TEST, measurement, devices, file=[a_budget])
    return verdict


def test_a_figure_below_its_limit_is_within() -> None:
    verdict = judge_one(budget(0.01), measured(), H200)
    assert verdict == BudgetVerdict("wh_per_query", 0.01, 0.0097, "within", "somewhere", None)


def test_a_figure_at_its_limit_is_within() -> None:
    assert judge_one(budget(0.0097), measured(), H200).outcome == "within"


def test_a_figure_above_its_limit_is_exceeded() -> None:
    verdict = judge_one(budget(0.005), measured(), H200)
    assert (verdict.outcome, verdict.value, verdict.fails) == ("exceeded", 0.0097, True)


def test_without_a_budget_there_is_no_verdict() -> None:
    assert judge_budgets(TEST, measured(), (H200,)) == ()


def test_the_closest_marker_wins_over_farther_ones_and_over_the_file() -> None:
    markers = [budget(origin="function"), budget(origin="class")]
    verdicts = judge_budgets(TEST, measured(), (H200,), marker=markers, file=[budget(origin="file")])
    assert origins(verdicts) == ["function"]


def test_the_last_matching_entry_of_the_file_wins() -> None:
    file = [
        budget(origin="0"),
        budget(origin="1", tests="tests/test_chat.py::*"),
        budget(origin="2", tests="tests/test_other.py::*"),
        budget(origin="3", hardware="NVIDIA A100*"),
    ]
    assert origins(judge_budgets(TEST, measured(), (H200,), file=file)) == ["1"]


def test_each_metric_finds_its_own_nearest_budget_and_keeps_the_order_of_the_metrics() -> None:
    marker = [Budget("j_per_token", 1.0, "marker")]
    file = [Budget("wh_total", 1.0, "file"), Budget("j_per_token", 2.0, "file"), budget(origin="file")]
    verdicts = judge_budgets(TEST, measured(), (H200,), marker=marker, file=file)
    assert [(verdict.metric, verdict.origin) for verdict in verdicts] == [
        ("wh_per_query", "file"),
        ("j_per_token", "marker"),
        ("wh_total", "file"),
    ]


def test_a_marker_for_other_hardware_leaves_the_word_to_the_file() -> None:
    verdicts = judge_budgets(
        TEST,
        measured(),
        (H200,),
        marker=[budget(origin="marker", hardware="NVIDIA A100*")],
        file=[budget(origin="file", hardware="NVIDIA H*")],
    )
    assert origins(verdicts) == ["file"]


def test_caps_apply_on_top_of_the_nearest_budget() -> None:
    verdicts = judge_budgets(
        TEST,
        measured(),
        (H200,),
        marker=[budget(0.02, "marker")],
        caps=[budget(0.005, "--whq-max"), Budget("wh_total", 1.0, "--whq-max")],
    )
    assert [(v.metric, v.origin, v.outcome) for v in verdicts] == [
        ("wh_per_query", "marker", "within"),
        ("wh_per_query", "--whq-max", "exceeded"),
        ("wh_total", "--whq-max", "within"),
    ]


@pytest.mark.parametrize(
    ("tests", "applies"),
    [
        ("*", True),
        ("tests/test_chat.py::*", True),
        (TEST, True),
        ("tests/test_chat.py::test_short[[]gpt-oss]", False),
        ("*test_short[*]", True),
        ("tests/test_chat.py::test_short[gpt-???]", True),
        ("tests/test_chat.py::test_short[a-z]", False),
        ("tests/test_chat.py", False),
        ("tests/test_chat.py::TEST_SHORT*", False),
    ],
)
def test_brackets_in_a_glob_on_node_ids_mean_themselves(tests: str, applies: bool) -> None:
    assert len(judge_budgets(TEST, measured(), (H200,), file=[budget(tests=tests)])) == applies


@pytest.mark.parametrize(
    ("hardware", "outcome"),
    [("NVIDIA H200", "within"), ("nvidia h2*", "within"), ("*H200*", "within"), ("H200", "not_judged")],
)
def test_a_glob_on_hardware_means_the_whole_name_in_any_case(hardware: str, outcome: str) -> None:
    assert judge_one(budget(hardware=hardware), measured(), H200).outcome == outcome


def test_hardware_that_no_budget_names_is_not_judged_and_the_nearest_says_so() -> None:
    file = [budget(origin="0", hardware="NVIDIA H100*"), budget(origin="1", hardware="NVIDIA B200*")]
    verdicts = judge_budgets(TEST, measured(), (A100,), file=file)
    why = 'the budget is for hardware "NVIDIA B200*", and this is NVIDIA A100-SXM4-80GB'
    assert verdicts == (BudgetVerdict("wh_per_query", 0.01, 0.0097, "not_judged", "1", why),)
    assert not verdicts[0].fails


def test_a_budget_must_be_for_every_device_that_was_measured() -> None:
    verdict = judge_one(budget(hardware="NVIDIA H200"), measured(), H200, A100)
    assert verdict.outcome == "not_judged"
    assert verdict.why == 'the budget is for hardware "NVIDIA H200", and this is NVIDIA A100-SXM4-80GB'


def test_without_a_source_a_budget_for_some_hardware_fails_with_the_reason() -> None:
    reason = Reason("no_source", "nvml: driver not loaded")
    verdict = judge_one(budget(hardware="NVIDIA H100*"), measured(None, reasons=(reason,)))
    assert (verdict.outcome, verdict.why) == ("unmeasured", "nvml: driver not loaded")
    assert verdict.fails


def test_figures_of_unknown_hardware_do_not_pass_a_budget_for_some_hardware() -> None:
    verdict = judge_one(budget(hardware="NVIDIA H100*"), measured())
    assert (verdict.outcome, verdict.value) == ("unmeasured", None)
    assert verdict.why == 'the budget is for hardware "NVIDIA H100*", and what was measured is not known'


def test_a_reason_that_invalidates_the_metric_leaves_it_unmeasured() -> None:
    reasons = (Reason("throttled", "hot"), Reason("failed_queries", "3 of 20 queries failed"))
    verdict = judge_one(budget(), measured(reasons=reasons), H200)
    assert (verdict.outcome, verdict.value, verdict.why) == ("unmeasured", None, "3 of 20 queries failed")


def test_missing_tokens_take_only_the_token_metrics_away() -> None:
    measurement = measured(
        tokens=TokenCount(), reasons=(Reason("tokens_missing", "no reply told its tokens"),)
    )
    file = [budget(), Budget("j_per_token", 1.0, "file")]
    verdicts = judge_budgets(TEST, measurement, (H200,), file=file)
    assert [(v.metric, v.outcome) for v in verdicts] == [
        ("wh_per_query", "within"),
        ("j_per_token", "unmeasured"),
    ]


def test_a_missing_figure_without_a_reason_is_unmeasured_all_the_same() -> None:
    verdict = judge_one(Budget("net_wh_per_query", 1.0, "file"), measured(), H200)
    assert (verdict.outcome, verdict.why) == ("unmeasured", "the measurement gives no figure for it")


ESTIMATED = Reason("estimated", "CPU time x 3.5 W per vCPU")


def test_an_estimate_does_not_meet_a_budget_that_does_not_take_estimates() -> None:
    verdict = judge_one(budget(), measured(reasons=(ESTIMATED,)), H200)
    assert (verdict.outcome, verdict.value) == ("unmeasured", None)
    assert verdict.why == (
        "its figures are estimated, not sensed; to enforce the budget on estimates, "
        "set estimate = true on it, or whq_estimate (--whq-estimate) for all budgets"
    )


@pytest.mark.parametrize(("limit", "outcome"), [(0.01, "within"), (0.005, "exceeded")])
def test_a_budget_that_takes_estimates_judges_them(limit: float, outcome: str) -> None:
    assert judge_one(budget(limit, estimate=True), measured(reasons=(ESTIMATED,))).outcome == outcome


def test_the_setting_takes_estimates_for_caps_too() -> None:
    measurement = measured(reasons=(ESTIMATED,))
    (verdict,) = judge_budgets(TEST, measurement, (), caps=[budget(0.005)], estimate=True)
    assert verdict.outcome == "exceeded"


def sentence(measurement: Measurement, limit: float, devices: tuple[Device, ...], source: str | None) -> str:
    verdict = judge_one(budget(limit, "pyproject.toml, budgets[1]"), measurement, *devices)
    return failing_sentence(verdict, measurement, devices, source)


def test_the_sentence_of_an_exceeded_budget_says_all_there_is_to_know() -> None:
    assert sentence(measured(), 0.005, (H200,), "nvml") == (
        "wh_per_query is 9.70 mWh, 94.0 % over its budget of 5.00 mWh (pyproject.toml, budgets[1]): "
        "20 queries, 5120 input and 2560 output tokens, NVIDIA H200, nvml counter."
    )


def test_the_sentence_names_failed_queries_several_devices_and_what_is_unknown() -> None:
    measurement = measured(
        36.0, queries=1, failed_queries=2, tokens=TokenCount(input_tokens=7), method="power"
    )
    assert sentence(measurement, 0.005, (H200, H200, A100), "nvml+rapl") == (
        "wh_per_query is 10.0 mWh, 100.0 % over its budget of 5.00 mWh (pyproject.toml, budgets[1]): "
        "1 query, 2 failed, 7 input and unknown output tokens, "
        "2 x NVIDIA H200 + NVIDIA A100-SXM4-80GB, nvml+rapl power."
    )


def test_an_estimate_by_the_estimate_source_is_named_once() -> None:
    measurement = measured(tokens=TokenCount(), method="estimate")
    assert sentence(measurement, 0.005, (Device("cpu", "AMD EPYC"),), "estimate").endswith(
        ": 20 queries, tokens unknown, AMD EPYC, estimate."
    )


def test_value_and_limit_show_as_many_digits_as_tell_them_apart() -> None:
    assert sentence(measured(), 0.009699, (H200,), "nvml").startswith(
        "wh_per_query is 0.0097 Wh, less than 0.1 % over its budget of 0.009699 Wh ("
    )


def test_a_limit_that_differs_in_the_last_bit_is_still_told_apart() -> None:
    assert sentence(measured(), 0.0097 * (1 - 1e-15), (H200,), "nvml").startswith(
        "wh_per_query is 0.0097 Wh, less than 0.1 % over its budget of 0.00969999999999999 Wh ("
    )


def test_the_sentence_of_an_unmeasured_budget_ends_with_why_and_what_to_do() -> None:
    measurement = measured(
        None,
        queries=20,
        method=None,
        reasons=(Reason("mig", "nvml: GPU-1 is in MIG mode. Turn MIG off."),),
    )
    assert sentence(measurement, 0.005, (), None) == (
        "wh_per_query has a budget of 5.00 mWh (pyproject.toml, budgets[1]) but was not measured "
        "(20 queries, 5120 input and 2560 output tokens): nvml: GPU-1 is in MIG mode. Turn MIG off."
    )
