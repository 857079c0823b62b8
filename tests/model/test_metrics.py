"""The table of metrics, and everything that follows from its rows."""

from dataclasses import replace

import pytest

from pytest_whq.errors import ReasonCode
from pytest_whq.interval import relative_half_width95
from pytest_whq.measuring.plan import half_widths95
from pytest_whq.model import METRICS, REASONS, Measurement, Reason, Round, TokenCount, format_metric
from pytest_whq.model.metrics import Figures

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

VALUES = {
    "wh_per_query": 720 / 3600 / 20,
    "net_wh_per_query": 540 / 3600 / 20,
    "wh_per_1k_tokens": 720 / 400 / 3600 * 1000,
    "wh_per_1k_output_tokens": 720 / 100 / 3600 * 1000,
    "j_per_token": 720 / 400,
    "j_per_input_token": 720 / 300,
    "j_per_output_token": 720 / 100,
    "wh_total": 720 / 3600,
    "average_power_w": 720 / 4,
}
SHOWN = {
    "wh_per_query": "10.0 mWh",
    "net_wh_per_query": "7.50 mWh",
    "wh_per_1k_tokens": "500 mWh",
    "wh_per_1k_output_tokens": "2.00 Wh",
    "j_per_token": "1.80 J",
    "j_per_input_token": "2.40 J",
    "j_per_output_token": "7.20 J",
    "wh_total": "200 mWh",
    "average_power_w": "180 W",
}
OF_INPUT = {"j_per_input_token"}
OF_OUTPUT = {"wh_per_1k_output_tokens", "j_per_output_token"}
OF_BOTH = {"wh_per_1k_tokens", "j_per_token"}
OF_TOKENS = OF_INPUT | OF_OUTPUT | OF_BOTH
OF_QUERIES = {"wh_per_query", "net_wh_per_query"}


def test_every_metric_is_by_its_formula() -> None:
    assert MEASURED.metrics == pytest.approx(VALUES)
    assert list(MEASURED.metrics) == list(VALUES) == list(METRICS)


def test_every_metric_is_an_attribute_and_a_row_of_the_table() -> None:
    assert {name: getattr(MEASURED, name) for name in METRICS} == MEASURED.metrics
    assert {name: getattr(Figures, name) for name in METRICS} == METRICS
    assert {name: row.name for name, row in METRICS.items()} == {name: name for name in METRICS}


def test_every_metric_is_shown_in_its_unit() -> None:
    assert {name: format_metric(name, value) for name, value in VALUES.items()} == SHOWN
    assert format_metric("wh_total", 1500.0) == "1.50 kWh"


def test_an_unknown_value_is_a_dash() -> None:
    assert format_metric("wh_per_query", None) == "-"


def unknown(**changes: object) -> set[str]:
    """The metrics that are unknown of what was measured, changed so."""
    changed = replace(MEASURED, **changes)  # type: ignore[arg-type]
    return {name for name, value in changed.metrics.items() if value is None}


def test_without_energy_every_metric_is_unknown() -> None:
    assert unknown(energy_j=None, net_energy_j=None) == set(METRICS)


def test_without_a_level_outside_only_the_net_metric_is_unknown() -> None:
    assert unknown(net_energy_j=None) == {"net_wh_per_query"}


@pytest.mark.parametrize(
    ("tokens", "missing"),
    [
        (TokenCount(), OF_TOKENS),
        (TokenCount(input_tokens=5), OF_OUTPUT | OF_BOTH),
        (TokenCount(output_tokens=5), OF_INPUT | OF_BOTH),
        (TokenCount(input_tokens=5, output_tokens=0), OF_OUTPUT),
        (TokenCount(0, 0), OF_TOKENS),
        (TokenCount(0, 5), OF_INPUT),
    ],
)
def test_a_metric_of_tokens_is_unknown_where_they_are_unknown_or_none(
    tokens: TokenCount, missing: set[str]
) -> None:
    assert unknown(tokens=tokens) == missing


def test_without_queries_the_metrics_of_queries_are_unknown() -> None:
    assert unknown(queries=0) == OF_QUERIES


def test_a_window_without_length_has_no_power() -> None:
    assert unknown(duration_s=0.0) == {"average_power_w"}


def test_no_energy_at_all_is_a_figure_and_not_unknown() -> None:
    assert unknown(energy_j=0.0, net_energy_j=0.0) == set()
    assert replace(MEASURED, energy_j=0.0).wh_per_query == 0.0


def test_net_energy_may_be_below_nothing() -> None:
    assert replace(MEASURED, net_energy_j=-72.0).net_wh_per_query == -0.001


SPOILS_ALL: tuple[ReasonCode, ...] = (
    *("no_source", "source_error", "counter_reset", "counter_stuck", "sensors_disagree"),
    *("window_too_short", "sample_gap", "mig", "device_busy", "device_idle", "cached_input"),
    "failed_queries",
)
WARNINGS: tuple[ReasonCode, ...] = (
    *(
        "imprecise",
        "throttled",
        "shared_device",
        "unclaimed",
        "foreign_queries",
        "server_silent",
        "thermal_drift",
        "estimated",
    ),
    "modelled",
)
INVALIDATED: dict[ReasonCode, set[str]] = {
    **{code: set(METRICS) for code in SPOILS_ALL},
    "no_queries": OF_QUERIES,
    "tokens_missing": OF_TOKENS,
    **{code: set() for code in WARNINGS},
}


def because(*codes: ReasonCode) -> Measurement:
    return replace(MEASURED, reasons=tuple(Reason(code, f"because of {code}") for code in codes))


def test_what_a_reason_invalidates_follows_from_the_rows() -> None:
    assert dict(REASONS) == INVALIDATED


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_keeps_its_metrics_from_being_judged(code: ReasonCode) -> None:
    found = because(code)
    reason = Reason(code, f"because of {code}")
    judged = {metric: found.why_invalid(metric) for metric in METRICS}
    assert judged == {metric: reason if metric in INVALIDATED[code] else None for metric in METRICS}


@pytest.mark.parametrize("code", REASONS)
def test_only_warnings_and_missing_tokens_leave_a_measurement_valid(code: ReasonCode) -> None:
    assert because(code).valid is (INVALIDATED[code] in (set(), OF_TOKENS))
    assert because("imprecise", code).valid is because(code).valid


ROUNDS = (
    Round(energy_j=99.0, net_energy_j=77.0, duration_s=1.0, queries=4, input_tokens=50, output_tokens=30),
    Round(energy_j=100.0, net_energy_j=80.0, duration_s=1.0, queries=4, input_tokens=50, output_tokens=30),
    Round(energy_j=101.0, net_energy_j=83.0, duration_s=1.0, queries=4, input_tokens=50, output_tokens=30),
)


def test_every_metric_that_is_a_ratio_has_a_width_over_rounds() -> None:
    gross = relative_half_width95([(99.0, 1.0), (100.0, 1.0), (101.0, 1.0)])
    net = relative_half_width95([(77.0, 1.0), (80.0, 1.0), (83.0, 1.0)])
    assert half_widths95(ROUNDS) == {
        name: pytest.approx(net if name.startswith("net_") else gross)
        for name in METRICS
        if name != "wh_total"
    }


def test_rounds_that_do_not_know_their_tokens_have_no_width_of_those() -> None:
    silent = replace(ROUNDS[0], input_tokens=None)
    ratios = set(METRICS) - {"wh_total"}
    assert set(half_widths95([silent, *ROUNDS])) == ratios - OF_INPUT - OF_BOTH
    silent = replace(silent, output_tokens=None)
    assert set(half_widths95([silent, *ROUNDS])) == ratios - OF_TOKENS
