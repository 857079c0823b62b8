"""Least squares, against numpy and against what is known."""

import math
from random import Random

import pytest

from pytest_whq.joules.least_squares import fit


def test_unknowns_are_found_exactly_where_equations_agree() -> None:
    rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [1.0, 3.0]]
    found = fit(rows, [3 * a + 5 * b for a, b in rows])
    assert found is not None
    assert found.values == pytest.approx((3.0, 5.0))
    assert found.errors == pytest.approx((0.0, 0.0), abs=1e-9)


def test_no_error_is_below_that_of_its_equations() -> None:
    found = fit([[1.0, 0.0], [0.0, 1.0]] * 8, [3.0, 5.0] * 8, least_error=0.4)
    assert found is not None
    assert found.errors == pytest.approx((0.4 / math.sqrt(8),) * 2)


def test_numpy_finds_the_same() -> None:
    numpy = pytest.importorskip("numpy")
    random = Random(0)
    rows = [[random.random() for _ in range(3)] for _ in range(40)]
    right = [sum(row) + random.gauss(0, 0.1) for row in rows]
    found = fit(rows, right)
    assert found is not None
    assert found.values == pytest.approx(numpy.linalg.lstsq(rows, right, rcond=None)[0])


@pytest.mark.parametrize("scatter", [lambda row: 0.1, lambda row: 0.5 * row[0]], ids=["equal", "by row"])
def test_the_truth_lies_within_two_errors_in_nine_of_ten(scatter: object) -> None:
    random, inside = Random(1), 0
    for _ in range(300):
        rows = [[random.random() ** 2, random.random()] for _ in range(50)]
        found = fit(rows, [2 * r[0] + r[1] + random.gauss(0, scatter(r)) for r in rows])  # type: ignore[operator]
        assert found is not None
        inside += abs(found.values[0] - 2) <= 2 * found.errors[0]
    assert inside >= 0.9 * 300


@pytest.mark.parametrize(
    "rows",
    [[], [[1.0, 2.0]] * 4, [[1.0, 2.0]] * 20, [[0.0, 1.0]] * 20],
    ids=["none", "few", "all alike", "one never"],
)
def test_what_cannot_be_told_apart_is_not_guessed(rows: list[list[float]]) -> None:
    assert fit(rows, [1.0] * len(rows)) is None
