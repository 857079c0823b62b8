"""Where a series comes to another level, and where it does not."""

import math
import sys
from random import Random

import pytest

from pytest_whq.errors import WhqError
from pytest_whq.history.change_points import Detector, change_points


@pytest.fixture
def find() -> Detector:
    """Not made where this file is imported: ruptures takes a second, in every process that collects it."""
    return change_points(0.01)


def noisy(levels: list[tuple[int, float]], random: Random | None = None) -> list[float]:
    random = random or Random(1)
    return [level * math.exp(random.gauss(0, 0.01)) for runs, level in levels for _ in range(runs)]


def test_a_step_is_found_at_the_first_run_of_the_new_level(find: Detector) -> None:
    (split,) = find([0.010] * 6 + [0.0105] * 5)
    assert split.number == 6
    assert (split.before, split.after) == pytest.approx((0.010, 0.0105))


def test_two_steps_are_two_changes(find: Detector) -> None:
    assert [split.number for split in find(noisy([(10, 1.0), (10, 1.08), (10, 1.0)]))] == [10, 20]


def test_a_single_run_that_is_far_off_is_no_change(find: Detector) -> None:
    values = noisy([(20, 1.0)])
    for odd in (0, 9, 19):
        assert find([*values[:odd], 1.4, *values[odd + 1 :]]) == []


def test_fewer_than_two_levels_of_three_runs_do_not_change(find: Detector) -> None:
    assert find([]) == []
    assert find([1.0, 1.0, 2.0, 2.0, 2.0]) == []


def test_runs_that_are_said_to_be_noisy_may_differ_more(find: Detector) -> None:
    values = noisy([(6, 1.0), (6, 1.06)])
    assert [split.number for split in find(values)] == [6]
    assert change_points(0.05)(values) == []


@pytest.mark.parametrize(("before", "after"), [(5, 5), (5, 30), (30, 5)])
def test_steps_of_five_percent_are_at_the_right_run_in_95_of_100(
    find: Detector, before: int, after: int
) -> None:
    random = Random(1)
    found = [
        [split.number for split in find(noisy([(before, 1.0), (after, 1.05)], random))] for _ in range(400)
    ]
    assert sum(one == [before] for one in found) >= 0.95 * 400


@pytest.mark.parametrize("runs", [10, 40, 150])
def test_fewer_than_two_in_a_hundred_series_of_one_level_change(find: Detector, runs: int) -> None:
    random = Random(1)
    assert sum(bool(find(noisy([(runs, 1.0)], random))) for _ in range(400)) < 0.02 * 400


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ruptures", None)
    with pytest.raises(WhqError, match=r'pip install "pytest-whq\[history\]"'):
        change_points(0.01)
