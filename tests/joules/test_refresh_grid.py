"""Refreshes seen in blurred stretches, moved to the grid on which they truly fell."""

from random import Random

import pytest

from pytest_whq.joules.refresh import on_grid


def seen(period_s: float, pauses_s: list[float], origin_s: float = 5.0) -> tuple[list[float], ...]:
    """Moments, widths and truths of changes on a grid, each read for the first time after a pause."""
    moments, widths, truths = [], [], []
    time_s, last = origin_s, 0
    for pause_s in pauses_s:
        before_s, time_s = time_s, time_s + pause_s
        tick = int((time_s - origin_s) / period_s)
        if tick > last:
            width_s = min(pause_s, period_s) if time_s - pause_s == before_s else pause_s
            moments.append(time_s - width_s / 2)
            widths.append(width_s)
            truths.append(origin_s + tick * period_s)
            last = tick
    return moments, widths, truths


@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("longest", [0.1, 0.5, 1.2])
def test_blurred_changes_are_moved_to_within_a_tenth_of_the_period(period_s: float, longest: float) -> None:
    random = Random(2)
    pauses_s = [random.uniform(longest / 2, longest) * period_s for _ in range(400)]
    # Sharp at first, as around the beginning of a window.
    moments, widths, truths = seen(period_s, [0.05 * period_s] * 400 + pauses_s)
    points = on_grid(moments, widths, period_s * 1.01)
    assert points is not None
    errors_s = [
        abs(point.time_s - truth) for point, truth in zip(points, truths, strict=True) if not point.unsure
    ]
    assert len(errors_s) >= 0.6 * len(truths)
    assert max(errors_s) <= 0.1 * period_s


def test_a_sensor_that_refreshes_faster_than_it_is_read_has_no_grid_to_follow() -> None:
    moments, widths, _ = seen(0.02, [0.025] * 400)
    assert on_grid(moments, widths, 0.02) is None


def test_changes_on_no_grid_are_left_as_they_are() -> None:
    random = Random(3)
    moments = sorted(random.uniform(0, 10) for _ in range(100))
    assert on_grid(moments, [0.003] * 100, 0.1) is None


def test_without_a_period_there_is_no_grid() -> None:
    assert on_grid([1.0, 2.0], [0.1, 0.1], None) is None
    assert on_grid([], [], 0.1) is None


def test_a_grid_whose_first_points_were_not_seen_sharply_is_found_all_the_same() -> None:
    moments_s = [0.02, *(0.1 * number for number in range(5, 20))]
    found = on_grid(moments_s, [0.2, *[0.002] * 15], 0.1)
    assert found is not None
    assert [point.time_s for point in found[1:]] == pytest.approx(moments_s[1:], abs=0.01)
