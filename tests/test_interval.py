import math
from random import Random

import pytest

from pytest_whq.interval import (
    effective_count,
    relative_drift,
    relative_half_width95,
    serial_correlation,
    student_point,
    student_t95,
    student_tail,
)

PUBLISHED = [
    *[(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (30, 2.042), (31, 2.0395), (40, 2.0211)],
    *[(60, 2.0003), (120, 1.9799), (1000, 1.9623), (10**9, 1.96)],
]


@pytest.mark.parametrize(("degrees", "quantile"), PUBLISHED)
def test_the_quantile_of_student_is_the_published_one(degrees: int, quantile: float) -> None:
    assert student_t95(degrees) == pytest.approx(quantile, abs=1e-4)


def test_the_half_width_of_a_ratio_is_that_of_cochran() -> None:
    # Rounds of 10, 12 and 11 J with 2, 2 and 3 queries: 33 J / 7, residuals of
    # 10 - 66/7 = 4/7, 12 - 66/7 = 18/7 and 11 - 99/7 = -22/7, whose squares sum to 824/49.
    variance = 824 / 49 / (3 * 2)
    half = 4.303 * math.sqrt(variance) / (7 / 3)
    assert relative_half_width95([(10, 2), (12, 2), (11, 3)]) == pytest.approx(half / (33 / 7))


def test_rounds_that_agree_leave_no_width() -> None:
    assert relative_half_width95([(10, 2), (15, 3), (5, 1)]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([], id="none"),
        pytest.param([(10, 2), (10, 2)], id="two rounds"),
        pytest.param([(10, 0), (10, 0), (10, 0)], id="no queries"),
        pytest.param([(-10, 1), (5, 1), (2, 1)], id="less than nothing"),
    ],
)
def test_the_half_width_is_unknown_for(pairs: list[tuple[float, float]]) -> None:
    assert relative_half_width95(pairs) is None


def test_a_drift_is_how_far_the_line_through_the_rounds_rises() -> None:
    assert relative_drift([100, 101, 102, 103, 104]) == pytest.approx(4 / 102)
    assert relative_drift([104, 103, 102, 101, 100]) == pytest.approx(-4 / 102)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="nothing"),
        pytest.param([100, 101, 102], id="three rounds"),
        pytest.param([100, 104, 99, 103, 101], id="noise"),
        pytest.param([0, 0, 0, 0], id="zeros"),
    ],
)
def test_there_is_no_drift_in(values: list[float]) -> None:
    assert relative_drift(values) is None


@pytest.mark.parametrize(
    ("t", "degrees", "tail"),
    [
        (0.0, 4, 0.5),
        (2.776445, 4, 0.025),
        (-2.776445, 4, 0.975),
        (8.610302, 4, 0.0005),
        (2.063899, 24, 0.025),
        (3.745399, 24, 0.0005),
        (3.373733, 100, 0.000530),
    ],
)
def test_the_tail_of_student_is_the_published_one_or_a_little_more(
    t: float, degrees: int, tail: float
) -> None:
    assert 0.995 <= student_tail(t, degrees) / tail <= 1.16


def carried_over(share: float, count: int, seed: int = 1) -> list[float]:
    """Values of which each has so much of the one before it."""
    random, value, values = Random(seed), 0.0, []
    for _ in range(count):
        value = share * value + math.sqrt(1 - share**2) * random.gauss(0.0, 1.0)
        values.append(value)
    mean = sum(values) / count
    return [one - mean for one in values]


@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_how_much_carries_over_is_found(share: float) -> None:
    assert serial_correlation(carried_over(share, 2000)) == pytest.approx(share, abs=0.05)


def test_rounds_that_hang_together_count_for_fewer() -> None:
    assert effective_count(carried_over(0.6, 2000)) == pytest.approx(2000 * 0.4 / 1.6, rel=0.1)
    assert effective_count(carried_over(0.0, 2000)) == 2000
    assert effective_count(carried_over(0.9, 5)) == 5


def test_the_interval_is_wider_for_rounds_that_hang_together() -> None:
    residuals = carried_over(0.8, 200)
    together = relative_half_width95([(100 + one, 1) for one in residuals])
    shuffled = Random(2).sample(residuals, len(residuals))
    apart = relative_half_width95([(100 + one, 1) for one in shuffled])
    assert together is not None
    assert apart is not None
    assert together / apart == pytest.approx(3, rel=0.25)


def test_nothing_carries_over_where_nothing_differs() -> None:
    assert serial_correlation([0.0] * 8) == 0.0


@pytest.mark.parametrize(("degrees", "point"), [(4, 0.941), (10, 0.879), (60, 0.848)])
def test_the_point_of_a_tail_is_where_the_tail_begins(degrees: int, point: float) -> None:
    assert student_point(0.2, degrees) == pytest.approx(point, rel=0.01)
    assert student_tail(student_point(0.01, degrees), degrees) == pytest.approx(0.01)
