"""Fits of rows whose errors are known, and rows made of steps whose errors neighbours share: exact."""

import math

import pytest

from pytest_whq.joules.known_errors import KnownErrors, SharedErrors, dot


def test_a_mean_has_the_error_of_one_row_by_the_root_of_their_number() -> None:
    found = KnownErrors([[1.0] * 4], [7.0, 9.0, 8.0, 8.0])
    assert found.sum_of([1.0]) == pytest.approx((8.0, 0.5))
    assert found.misfit == pytest.approx(2.0)


def test_sums_of_unknowns_know_how_their_errors_hang_together() -> None:
    # A line 3 + 2 t: in the middle of its points it is known best, far from them hardly.
    times = [0.0, 1.0, 2.0, 3.0]
    found = KnownErrors([[1.0] * 4, times], [3 + 2 * time for time in times])
    assert found.sum_of([1.0, 1.5]) == pytest.approx((6.0, 0.5))
    assert found.sum_of([1.0, 11.5]) == pytest.approx((26.0, math.hypot(0.5, 10 / math.sqrt(5))))


def test_what_was_known_before_counts_as_one_more_row() -> None:
    found = KnownErrors([[1.0], [1.0]], [5.0], priors=[(2.0, 0.1)])
    assert found.sum_of([0.0, 1.0]) == pytest.approx((2.0, 0.1))
    assert found.sum_of([1.0, 0.0]) == pytest.approx((3.0, math.hypot(1.0, 0.1)))


def test_an_unknown_that_hardly_explains_anything_makes_a_fit_less_likely() -> None:
    right = [1.0, 1.0, 1.0]
    less = KnownErrors([[1.0] * 3], right)
    more = KnownErrors([[1.0] * 3, [0.0, 0.0, 100.0]], right, priors=[(0.0, 1.0)])
    assert more.misfit == pytest.approx(less.misfit)
    assert more.log_likelihood < less.log_likelihood - 2


def test_steps_that_share_a_point_share_its_error() -> None:
    # Variances 1, 4, 9 of the points: of the steps 5 and 13, and -4 of both together.
    white = SharedErrors([1.0, 4.0, 9.0], [0.0, 0.0])
    determinant = 5 * 13 - 4 * 4
    ones, steps = white.rows([1.0, 1.0]), white.rows([1.0, 0.0])
    assert dot(ones, ones) == pytest.approx((13 + 5 + 2 * 4) / determinant)
    assert dot(ones, steps) == pytest.approx((13 + 4) / determinant)
    assert white.log_size == pytest.approx(math.log(determinant) / 2)


def test_a_step_has_an_error_of_its_own_beside_those_of_its_ends() -> None:
    assert SharedErrors([1.0, 2.0], [6.0]).rows([3.0]) == [pytest.approx(1.0)]
