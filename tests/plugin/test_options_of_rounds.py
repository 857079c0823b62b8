"""How long `whq(call)` repeats, by option and by ini setting."""

import pytest
from measured_project import MeasuredProject, run_with


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({"whq_rounds": "3"}, 1 + 3),
        ({"whq_rounds": "3", "whq_warmup": "4"}, 4 + 3),
        ({"whq_rounds": "2", "whq_warmup": "0", "whq_max_seconds": "3"}, 2 + 2),
    ],
)
def test_rounds_and_warmup_are_counted(
    project: MeasuredProject, given: str, settings: dict[str, str], calls: int
) -> None:
    project.tests(
        f"""
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
            assert client.calls == {calls}
        """
    )
    run_with(project, given, **settings).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("settings", "least_s", "most_s"),
    [
        ({}, 5, 6),
        ({"whq_min_seconds": "8"}, 8, 9),
        ({"whq_max_seconds": "4"}, 3, 4),
        ({"whq_min_seconds": "0", "whq_max_seconds": "2"}, 1.5, 2),
    ],
)
def test_measuring_lasts_as_long_as_it_should(
    project: MeasuredProject, given: str, settings: dict[str, str], least_s: float, most_s: float
) -> None:
    project.ini(whq_rounds=None, whq_max_seconds=None)
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.", seconds=0.1)
        """
    )
    nothing_else = {"whq_rounds": None, "whq_max_seconds": None} if given == "ini" else {}
    run_with(project, given, **nothing_else | settings).assert_outcomes(passed=1)
    assert least_s <= project.records["test_chat"]["duration_s"] <= most_s + 0.2


def test_rounds_go_on_until_they_are_precise(project: MeasuredProject, given: str) -> None:
    project.ini(whq_rounds=None, whq_max_seconds=None)
    project.tests(
        """
        import random

        def test_chat(whq, client):
            rng = random.Random(1)
            whq(lambda: client.chat("Say hi.", seconds=1 + rng.random() / 2))
        """
    )
    counts = []
    for precision in ("50%", "0.1", "5%"):
        nothing_else = {"whq_rounds": None, "whq_max_seconds": "100"} if given == "ini" else {}
        settings = {"whq_max_seconds": "100", "whq_precision": precision}
        run_with(project, given, **nothing_else | settings).assert_outcomes(passed=1)
        record = project.records["test_chat"]
        low, high = record["interval95"]["wh_per_query"]
        assert (high - low) / (high + low) < {"50%": 0.5, "0.1": 0.1, "5%": 0.05}[precision]
        assert record["reasons"] == []
        counts.append(record["queries"])
    assert counts[0] == 5
    assert counts[0] < counts[1] < counts[2]
