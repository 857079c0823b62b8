import math
from collections.abc import Iterable

import pytest

from pytest_whq.joules.refresh import RefreshPeriod


def learned(changes: Iterable[tuple[float, float]], longest_s: float = 9.0) -> RefreshPeriod:
    refresh = RefreshPeriod(longest_s)
    for moment_s, width_s in changes:
        refresh.add(moment_s, width_s)
    return refresh


def test_nothing_is_known_from_one_change() -> None:
    refresh = learned([(1.0, 0.002)])
    assert (refresh.period_s, refresh.latest_s) == (None, None)
    assert not refresh.is_out_at(5.0)


def test_two_changes_tell_a_period_roughly() -> None:
    refresh = learned([(1.0, 0.002), (1.099, 0.002)])
    assert refresh.period_s == pytest.approx(0.099)
    assert refresh.latest_s == 1.099


def test_a_longer_stretch_tells_it_more_sharply() -> None:
    # Seen up to 1 ms early or late in turns.
    changes = [(n * 0.1 + (0.001 if n % 2 else -0.001), 0.004) for n in range(22)]
    assert learned(changes[:2]).period_s == pytest.approx(0.102)
    assert learned(changes).period_s == pytest.approx(0.1, abs=0.0001)


def test_changes_need_not_come_at_every_refresh() -> None:
    assert learned([(0.0, 0.002), (0.1, 0.002), (0.2, 0.002), (0.5, 0.002), (0.9, 0.002)]).period_s == (
        pytest.approx(0.1)
    )


def test_a_change_seen_too_vaguely_begins_no_period() -> None:
    assert learned([(0.0, 0.05), (0.1, 0.05), (0.2, 0.05)]).period_s is None


def test_a_pause_longer_than_any_period_is_none() -> None:
    refresh = learned([(0.0, 0.002), (5.0, 0.002)], longest_s=0.15)
    assert refresh.period_s is None
    refresh.add(5.1, 0.002)
    assert refresh.period_s == pytest.approx(0.1)


def test_a_vague_change_is_not_the_latest_sharp_one() -> None:
    assert learned([(0.0, 0.002), (0.1, 0.002), (0.2, 0.05)]).latest_s == 0.1


def test_a_grid_is_out_where_its_uncertainty_has_added_up() -> None:
    refresh = learned([(0.0, 0.002), (0.1, 0.002)])
    # 2 ms in each period, and 3 % of a period is 3 ms.
    assert not refresh.is_out_at(0.2)
    assert refresh.is_out_at(0.3)


def test_a_change_that_the_grid_does_not_explain_starts_it_anew() -> None:
    changes = [(n * 0.1, 0.002) for n in range(10)]
    later = [(0.95 + n * 0.11, 0.002) for n in range(30)]
    assert learned([*changes, *later]).period_s == pytest.approx(0.11, rel=0.01)


def test_changes_that_each_reading_sees_tell_how_seldom_a_sensor_refreshes_at_most() -> None:
    refresh = RefreshPeriod(math.inf, certain=False)
    for number in range(1, 21):
        refresh.add(0.055 * number - 0.0275, 0.055)
    assert refresh.period_s is None
    assert refresh.most_s == pytest.approx(20 / 19 * 0.055)


def test_a_single_change_bounds_nothing() -> None:
    assert learned([(1.0, 0.002)]).most_s == math.inf
