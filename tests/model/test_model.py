from dataclasses import FrozenInstanceError, replace

import pytest

from pytest_whq.model import METRICS, REASONS, BudgetVerdict, Measurement, Reason, TokenCount

MEASURED = Measurement(
    method="counter",
    energy_j=720.0,
    net_energy_j=540.0,
    uncertainty_j=3.6,
    duration_s=4.0,
    queries=20,
    failed_queries=0,
    tokens=TokenCount(input_tokens=300, output_tokens=100, cached_input_tokens=50, reasoning_tokens=20),
    devices=(),
    rounds=(),
)


def test_every_metric_is_by_its_formula() -> None:
    assert MEASURED.metrics == {
        "wh_per_query": 720 / 3600 / 20,
        "net_wh_per_query": 540 / 3600 / 20,
        "wh_per_1k_tokens": 720 / 400 / 3600 * 1000,
        "wh_per_1k_output_tokens": 720 / 100 / 3600 * 1000,
        "j_per_token": 720 / 400,
        "j_per_output_token": 720 / 100,
        "wh_total": 720 / 3600,
        "average_power_w": 720 / 4,
    }
    assert tuple(MEASURED.metrics) == METRICS


def test_cached_and_reasoning_tokens_are_part_of_the_others() -> None:
    assert MEASURED.total_tokens == 400


def unknown(**changes: object) -> set[str]:
    """The metrics that are unknown of what was measured, changed so."""
    changed = replace(MEASURED, **changes)  # type: ignore[arg-type]
    return {name for name, value in changed.metrics.items() if value is None}


def test_without_energy_every_metric_is_unknown() -> None:
    assert unknown(energy_j=None, net_energy_j=None) == set(METRICS)


def test_without_a_level_outside_only_the_net_metric_is_unknown() -> None:
    assert unknown(net_energy_j=None) == {"net_wh_per_query"}


TOKEN_METRICS = {"wh_per_1k_tokens", "wh_per_1k_output_tokens", "j_per_token", "j_per_output_token"}


@pytest.mark.parametrize(
    ("tokens", "missing"),
    [
        (TokenCount(), TOKEN_METRICS),
        (TokenCount(input_tokens=5), TOKEN_METRICS),
        (TokenCount(output_tokens=5), {"wh_per_1k_tokens", "j_per_token"}),
        (TokenCount(input_tokens=5, output_tokens=0), {"wh_per_1k_output_tokens", "j_per_output_token"}),
        (TokenCount(0, 0), TOKEN_METRICS),
        (TokenCount(0, 5), set()),
    ],
)
def test_a_metric_of_tokens_is_unknown_where_they_are_unknown_or_none(
    tokens: TokenCount, missing: set[str]
) -> None:
    assert unknown(tokens=tokens) == missing


def test_without_queries_the_metrics_of_queries_are_unknown() -> None:
    assert unknown(queries=0) == {"wh_per_query", "net_wh_per_query"}


def test_a_window_without_length_has_no_power() -> None:
    assert unknown(duration_s=0.0) == {"average_power_w"}


def test_no_energy_at_all_is_a_figure_and_not_unknown() -> None:
    assert unknown(energy_j=0.0, net_energy_j=0.0) == set()
    assert replace(MEASURED, energy_j=0.0).wh_per_query == 0.0


def test_net_energy_may_be_below_nothing() -> None:
    assert replace(MEASURED, net_energy_j=-72.0).net_wh_per_query == -0.001


def because(*codes: str) -> Measurement:
    return replace(MEASURED, reasons=tuple(Reason(code, f"because of {code}") for code in codes))


SPOILS_ALL = (
    *("no_source", "source_error", "counter_reset", "counter_stuck", "sensors_disagree"),
    *("window_too_short", "sample_gap", "mig", "failed_queries"),
)
WARNINGS = ("imprecise", "throttled", "shared_device", "thermal_drift", "estimated")
INVALIDATED: dict[str, set[str]] = {
    **{code: set(METRICS) for code in SPOILS_ALL},
    "no_queries": {"wh_per_query", "net_wh_per_query"},
    "tokens_missing": TOKEN_METRICS,
    **{code: set() for code in WARNINGS},
}


def test_the_reasons_are_those_of_the_design() -> None:
    assert dict(REASONS) == INVALIDATED


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_keeps_its_metrics_from_being_judged(code: str) -> None:
    found = because(code)
    reason = Reason(code, f"because of {code}")
    judged = {metric: found.why_invalid(metric) for metric in METRICS}
    assert judged == {metric: reason if metric in INVALIDATED[code] else None for metric in METRICS}


@pytest.mark.parametrize("code", REASONS)
def test_only_warnings_and_missing_tokens_leave_a_measurement_valid(code: str) -> None:
    assert because(code).valid is (INVALIDATED[code] in (set(), TOKEN_METRICS))
    assert because("imprecise", code).valid is because(code).valid


def test_a_measurement_without_reasons_is_valid() -> None:
    assert MEASURED.valid
    assert MEASURED.why_invalid("wh_per_query") is None


def test_the_first_reason_against_a_metric_is_the_one_given() -> None:
    found = because("imprecise", "tokens_missing", "failed_queries", "source_error")
    assert found.why_invalid("j_per_token") == Reason("tokens_missing", "because of tokens_missing")
    assert found.why_invalid("wh_per_query") == Reason("failed_queries", "because of failed_queries")


def test_a_reason_is_found_by_its_code() -> None:
    assert because("imprecise", "throttled").has("throttled")
    assert not because("imprecise").has("throttled")


@pytest.mark.parametrize(
    ("outcome", "fails"),
    [("within", False), ("exceeded", True), ("unmeasured", True), ("not_judged", False)],
)
def test_a_budget_that_is_exceeded_or_unmeasured_fails(outcome: str, fails: bool) -> None:
    assert BudgetVerdict("wh_per_query", 0.05, None, outcome, "marker").fails is fails


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        MEASURED.energy_j = 0.0  # type: ignore[misc]
