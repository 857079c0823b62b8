from dataclasses import FrozenInstanceError, replace

import pytest

from pytest_whq.errors import ReasonCode
from pytest_whq.model import BudgetOutcome, BudgetVerdict, Measurement, Reason, TokenCount

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


def test_cached_and_reasoning_tokens_are_part_of_the_others() -> None:
    assert MEASURED.total_tokens == 400


def because(*codes: ReasonCode) -> Measurement:
    return replace(MEASURED, reasons=tuple(Reason(code, f"because of {code}") for code in codes))


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
def test_a_budget_that_is_exceeded_or_unmeasured_fails(outcome: BudgetOutcome, fails: bool) -> None:
    assert BudgetVerdict("wh_per_query", 0.05, None, outcome, "marker").fails is fails


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        MEASURED.energy_j = 0.0  # type: ignore[misc]
