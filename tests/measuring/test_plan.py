import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.measuring.plan import (
    MIN_ROUNDS,
    Plan,
    half_widths95,
    planned,
    start_phase,
)
from pytest_whq.model import Round


def known(width: float | None) -> Callable[[], float | None]:
    return lambda: width


def not_asked() -> float | None:
    raise AssertionError("the interval is not needed for this")


PLAN = Plan()


def test_a_short_limit_of_the_session_holds_above_what_a_test_asks_for() -> None:
    quick = Plan(max_seconds=2.0)
    assert planned(quick, {"min_seconds": 10.0}) == Plan(min_seconds=10.0, max_seconds=2.0)
    assert planned(PLAN, {"max_seconds": 2.0}) == quick


def test_a_test_that_asks_for_more_than_the_default_limit_is_refused() -> None:
    with pytest.raises(SettingError, match="min_seconds is 31, above max_seconds, which is 30 unless"):
        planned(PLAN, {"min_seconds": 31.0})
    assert planned(PLAN, {"min_seconds": 30.0}).min_seconds == 30.0


def test_a_plan_without_a_number_of_rounds_runs_the_first_one() -> None:
    assert PLAN.goes_on(0, 0.0, 0.0, not_asked)
    assert Plan(max_seconds=0.001).goes_on(0, 9.0, 0.0, not_asked)


def test_it_goes_on_until_five_rounds_are_done() -> None:
    assert MIN_ROUNDS == 5
    assert PLAN.goes_on(4, 20.0, 5.0, not_asked)
    assert not PLAN.goes_on(5, 20.0, 5.0, known(0.001))


def test_it_goes_on_until_the_shortest_time_is_over() -> None:
    assert PLAN.goes_on(40, 4.99, 0.1, not_asked)
    assert not PLAN.goes_on(40, 5.0, 0.1, known(0.001))


def test_it_goes_on_until_it_is_precise() -> None:
    assert PLAN.goes_on(6, 6.0, 1.0, known(0.0201))
    assert PLAN.goes_on(6, 6.0, 1.0, known(None))
    assert not PLAN.goes_on(6, 6.0, 1.0, known(0.02))


def test_it_ends_where_another_round_like_the_last_would_take_too_long() -> None:
    assert PLAN.goes_on(25, 29.0, 1.0, known(0.5))
    assert not PLAN.goes_on(25, 29.0, 1.01, not_asked)
    # Even of the least number of rounds.
    assert not PLAN.goes_on(1, 16.0, 16.0, not_asked)


def test_a_number_of_rounds_is_kept_to_whatever_they_take() -> None:
    plan = Plan(rounds=3)
    assert [plan.goes_on(done, 1e6, 1e6, not_asked) for done in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("plan", "round_s"),
    [
        (Plan(), 1.0),
        (Plan(max_seconds=3.0), 0.6),
        (Plan(rounds=2), 2.5),
        (Plan(rounds=10), 1.0),
        (Plan(rounds=100), 0.3),
        (Plan(rounds=1, min_seconds=0.0, max_seconds=0.2), 0.2),
    ],
)
def test_a_round_lasts_about_a_second_or_what_fits_the_limits(plan: Plan, round_s: float) -> None:
    assert plan.round_s == pytest.approx(round_s)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 20, 100])
def test_starts_leave_no_large_gap_in_the_period_however_many_there_are(count: int) -> None:
    phases = sorted(start_phase(number) for number in range(count))
    assert phases[0] == 0.0
    assert phases[-1] < 1.0
    gaps = [after - before for before, after in pairwise([*phases, 1.0])]
    # Even spacing would leave gaps of 1 / count; for steps of the golden ratio this is the known bound.
    assert max(gaps) <= (1 + 2 / math.sqrt(5)) / count


ROUND = Round(energy_j=100.0, net_energy_j=80.0, duration_s=1.0, queries=4, input_tokens=50, output_tokens=30)


def three(*changes: dict[str, float | None]) -> list[Round]:
    return [replace(ROUND, **change) for change in changes]  # type: ignore[arg-type]


def test_rounds_without_energy_have_no_widths() -> None:
    assert half_widths95(three({}, {"energy_j": None, "net_energy_j": None}, {})) == {}
    assert "net_wh_per_query" not in half_widths95(three({}, {"net_energy_j": None}, {}))
