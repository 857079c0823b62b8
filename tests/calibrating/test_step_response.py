"""What refreshes and steps of the load tell of a sensor: pure, so the figures are exact."""

import pytest

from pytest_whq.calibrating.step_response import Refresh, Step, averaging_of, level_w, period_of

STEPS = [Step(float(n), float(n + 1), on=n % 2 == 1) for n in range(5)]
"""The load goes on at 1 s, off at 2 s, on at 3 s and off at 4 s."""


def answers(averaging_s: float, *, period_s: float = 0.07, width_s: float = 0.001) -> list[Refresh]:
    """The refreshes of a sensor that averages the load's 70 W and 450 W, where it shows something else."""

    def drawn_j(time_s: float) -> float:
        return 70 * time_s + 380 * sum(max(0.0, min(time_s, s.end_s) - s.time_s) for s in STEPS if s.on)

    times_s = [n * period_s for n in range(1, int(5 / period_s))]
    shown = [round((drawn_j(t) - drawn_j(t - averaging_s)) / averaging_s, 6) for t in times_s]
    before = [0.0, *shown]
    return [Refresh(t, w, width_s) for t, w, b in zip(times_s, shown, before, strict=False) if w != b]


@pytest.mark.parametrize("averaging_s", [0.02, 0.07, 0.2, 0.5])
def test_what_a_sensor_averages_is_found(averaging_s: float) -> None:
    assert averaging_of(answers(averaging_s), STEPS) == pytest.approx(averaging_s, rel=0.02)


def test_a_refresh_that_was_seen_late_is_no_witness() -> None:
    refreshes = answers(0.5)
    sharp = [r if r.time_s > 1.5 else Refresh(r.time_s + 0.06, r.shown, 0.001) for r in refreshes]
    late = [r if r.time_s > 1.5 else Refresh(r.time_s + 0.06, r.shown, 0.12) for r in refreshes]
    assert averaging_of(late, STEPS) == pytest.approx(0.5, rel=0.02)
    assert averaging_of(sharp, STEPS) != pytest.approx(0.5, rel=0.02)


def test_a_sensor_that_does_not_answer_tells_nothing() -> None:
    still = [Refresh(n / 10, 70.0 + n % 2, 0.001) for n in range(50)]
    assert averaging_of(still, STEPS) is None
    assert averaging_of([], STEPS) is None


def test_levels_are_what_the_sensor_came_to_show() -> None:
    refreshes = answers(0.5)
    assert level_w(refreshes, STEPS, on=False) == pytest.approx(70)
    assert level_w(refreshes, STEPS, on=True) == pytest.approx(450)
    assert level_w([], STEPS, on=True) is None


@pytest.mark.parametrize(
    ("changes_s", "period_s"),
    [([0.1, 0.2, 0.3, 0.4], 0.1), ([0.1, 0.2, 0.3, 0.5, 0.6, 0.9, 1.0], 0.1), ([0.1, 0.2], None), ([], None)],
)
def test_the_period_of_changes_is_that_of_their_grid(changes_s: list[float], period_s: float | None) -> None:
    found = period_of(changes_s)
    assert found == (None if period_s is None else pytest.approx(period_s))
