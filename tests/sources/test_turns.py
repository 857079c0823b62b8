import pytest

from pytest_whq.sources.remote.turns import pause_s


@pytest.mark.parametrize(
    ("took_s", "busy_s", "expected_s"),
    [
        (0.01, 0.001, 0.2),
        (0.1, 0.001, 0.4),
        (1.4, 0.001, 0.5),
        (0.1, 0.05, 1.0),
    ],
    ids=["quick", "slow", "very slow", "dear to read"],
)
def test_a_look_costs_a_twentieth_of_a_core_and_those_who_are_asked_a_quarter_of_their_time(
    took_s: float, busy_s: float, expected_s: float
) -> None:
    assert pause_s(took_s, busy_s, every_s=0.2, longest_s=0.5) == pytest.approx(expected_s)
