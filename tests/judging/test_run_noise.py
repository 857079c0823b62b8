import math
from random import Random

import pytest

from pytest_whq.judging.run_noise import RunNoise, RunValue, learn, with_new_runs

TESTS = 200


def runs(random: Random, count: int, sigma: float, *, shifts: tuple[float, ...] = ()) -> list[RunValue]:
    """One test in ``count`` runs, each of which moves all tests by its shift."""
    moved = shifts or (0.0,) * count
    return [RunValue(run, random.gauss(0.0, sigma) + moved[run], 0.0) for run in range(count)]


def suite(sigma: float, count: int = 3, seed: int = 1, **changes: tuple[float, ...]) -> list[list[RunValue]]:
    random = Random(seed)
    return [runs(random, count, sigma, **changes) for _ in range(TESTS)]


def new(shift: float, sigma: float, seed: int = 2) -> list[list[RunValue]]:
    random = Random(seed)
    return [[RunValue("head", random.gauss(shift, sigma), 0.0)] for _ in range(TESTS)]


@pytest.mark.parametrize("sigma", [0.012, 0.03])
def test_many_tests_tell_how_much_runs_differ(sigma: float) -> None:
    noise = learn(suite(sigma), 0.01)
    assert noise.pooled
    assert noise.sigma == pytest.approx(sigma, rel=0.1)


def test_it_never_falls_below_what_is_assumed() -> None:
    assert learn(suite(0.002), 0.01).sigma == 0.01


def test_what_moves_a_whole_run_is_its_shift_and_no_noise() -> None:
    base = suite(0.01, shifts=(0.0, 0.03, -0.02))
    noise = with_new_runs(learn(base, 0.01), base, new(0.02, 0.01), 0.05)
    assert noise.sigma == pytest.approx(0.01, rel=0.1)
    assert [noise.shift(run) for run in (0, 1, 2, "head")] == pytest.approx(
        [0.0, 0.03, -0.02, 0.02], abs=0.004
    )


def test_a_shift_beyond_the_limit_is_a_change_and_is_not_forgiven() -> None:
    base = suite(0.01)
    assert with_new_runs(learn(base, 0.01), base, new(0.2, 0.01), 0.05).shift("head") == 0.0


def test_a_run_of_a_few_suspects_moves_as_the_others_did() -> None:
    head = new(0.02, 0.01)
    head[0] = [*head[0], RunValue("again", 0.3, 0.0)]
    base = suite(0.01)
    noise = with_new_runs(learn(base, 0.01), base, head, 0.05)
    assert noise.shift("again") == noise.shift("head")


def test_a_few_tests_tell_nothing_that_is_not_assumed() -> None:
    base = suite(0.05)[:3]
    noise = with_new_runs(learn(base, 0.01), base, new(0.02, 0.05)[:3], 0.05)
    assert noise == RunNoise(0.01)
    assert noise.tail(9.0) == 0.0


def test_the_tail_of_normal_noise_is_that_of_normal_noise_where_it_was_seen() -> None:
    noise = learn(suite(0.02), 0.01)
    assert noise.tail(-1.0) == 1.0
    assert noise.tail(1.0) == pytest.approx(0.159, abs=0.03)
    assert noise.tail(2.0) == pytest.approx(0.023, abs=0.01)
    assert noise.tail(6.0) < 0.05 / TESTS


def test_where_single_runs_were_far_off_they_are_expected_to_be_again() -> None:
    base = suite(0.01)
    for test in range(0, TESTS, 10):
        log = base[test][0].log + math.log(1.1)
        base[test][0] = base[test][0]._replace(log=log)
    noise = learn(base, 0.01)
    assert noise.tail(6.0) > 0.01


def test_runs_that_are_all_alike_have_no_tail() -> None:
    base = [[RunValue(run, 0.0, 0.0) for run in range(3)] for _ in range(TESTS)]
    noise = learn(base, 0.01)
    assert (noise.sigma, noise.slope, noise.tail(1.0)) == (0.01, None, 0.0)
