"""The level of a board at rest, by the levels seen around a load."""

import math

import pytest

from pytest_whq.joules.rest import Level, level_at_rest
from pytest_whq.joules.spans import SpanEnergies, uncertainty_together_j


def test_right_after_a_load_a_board_does_not_rest_yet() -> None:
    assert level_at_rest(Level(70.0, 1.0), Level(120.0, 2.0)) == Level(70.0, 1.0)


def test_levels_that_are_the_same_but_for_chance_are_as_sure_as_they_were_seen() -> None:
    assert level_at_rest(Level(70.0, 1.0), Level(69.0, 2.0)) == Level(69.0, 2.0)


@pytest.mark.parametrize("before", [None, Level(450.0, 1.0)], ids=["unseen", "another load"])
def test_a_board_may_rest_lower_than_right_after_a_load(before: Level | None) -> None:
    assert level_at_rest(before, Level(120.0, 4.0)) == Level(120.0, math.hypot(30.0, 4.0))


def test_a_level_that_was_seen_on_neither_side_is_unknown() -> None:
    assert level_at_rest(None, None) is None


def test_the_level_at_rest_is_in_doubt_for_as_long_as_the_spans_last() -> None:
    energies = SpanEnergies("counter", (450.0, 450.0), 3.0, 70.0, idle_error_w=2.0)
    assert uncertainty_together_j([energies], 2.0) == 5.0
