"""Windows within a load, in virtual time: two stated uncertainties hold the truth, and are narrow."""

from statistics import median

import pytest
from load_profiles import PROFILES, LoadOutcome, measured_load

pytestmark = pytest.mark.once

LOADS = 20


def loads(profile: str, work: str) -> list[LoadOutcome]:
    return [measured_load(profile, seed, work) for seed in range(LOADS)]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_truth_lies_within_two_uncertainties(profile: str) -> None:
    stand = [one for one in loads(profile, "prefill and decode") if one.refused is None]
    # Of 100 windows 95 do. A counter of 500 ms may not tell one of a second; all else tells.
    assert len(stand) >= LOADS - 3
    assert sum(not one.covered for one in stand) <= 3


@pytest.mark.parametrize(
    ("profile", "most"),
    [
        ("counter 20 ms, fall 0 ms", 0.01),
        ("counter 100 ms, fall 10 ms", 0.015),
        ("counter 500 ms, fall 0 ms", 0.06),
        ("part-time power", 0.015),
        ("power alone", 0.015),
    ],
)
def test_a_window_beside_busy_spans_is_about_as_sure_as_one_from_rest(profile: str, most: float) -> None:
    assert median(one.stated for one in loads(profile, "steady") if one.refused is None) < most


@pytest.mark.parametrize("profile", ["counter 20 ms, fall 0 ms", "counter 100 ms, fall 0 ms"])
def test_ramp_up_and_tail_have_their_own_joules(profile: str) -> None:
    errors_j = [error_j for one in loads(profile, "steady") for error_j in one.errors_beside_j]
    assert len(errors_j) == 2 * LOADS
    assert median(errors_j) < 1.0
