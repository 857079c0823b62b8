"""Tests that stop the clock, as suites do whose prompts hold the date: energy is measured all the same."""

import pytest
from simulated_project import SimulatedProject, within

pytest.importorskip("freezegun")
pytest.importorskip("time_machine")

TESTS = """
import asyncio
import datetime
import freezegun
import time_machine

USAGE = {"prompt_tokens": 7, "completion_tokens": 3}

@pytest.fixture
def work(gpu):
    def work():
        gpu.set_watts(400.0)
        time.sleep(0.3)
        gpu.set_watts(70.0)
        return {"object": "chat.completion", "choices": [], "usage": USAGE}
    return work

STOPPED = {
    "freezegun": lambda: freezegun.freeze_time("2024-01-01"),
    "freezegun-ticking": lambda: freezegun.freeze_time("2024-01-01", tick=True),
    "time-machine": lambda: time_machine.travel(datetime.datetime(2024, 1, 1), tick=False),
}
stopped = pytest.mark.parametrize("stop", STOPPED.values(), ids=STOPPED)

@stopped
def test_window(whq, work, stop):
    with stop(), whq.measure() as window:
        window.record(work())

@stopped
@pytest.mark.whq(rounds=2, warmup=0, max_seconds=1)
def test_call(whq, work, stop):
    with stop():
        whq(work)

@stopped
@pytest.mark.asyncio
async def test_async_window(whq, work, stop):
    with stop():
        async with whq.measure() as window:
            window.record(work())
"""


def test_a_stopped_clock_changes_no_figure(simulated_project: SimulatedProject) -> None:
    simulated_project.tests(TESTS)
    simulated_project.run_apart().assert_outcomes(passed=9)
    assert len(simulated_project.records) == 9
    # Where the machine was held up, 300 ms may be too short. A clock that stood still would refuse more.
    refused = {
        test for test, one in simulated_project.records.items() if one["reasons"] == ["window_too_short"]
    }
    assert len(refused) <= 2
    for test, record in simulated_project.records.items():
        if test in refused:
            continue
        assert record["valid"], test
        right = within(simulated_project.true_j(test), 0.01, record["uncertainty_j"])
        assert record["energy_j"] == right, test
        assert 0.3 <= record["duration_s"] / record["queries"] < 0.6


def test_what_is_first_loaded_while_the_clock_stands_has_the_real_time(
    simulated_project: SimulatedProject,
) -> None:
    simulated_project.tests("""
        import freezegun
        freezer = freezegun.freeze_time("2024-01-01")
        freezer.start()

        def test_it(request, gpu):
            whq = request.getfixturevalue("whq")
            with whq.measure() as window:
                gpu.set_watts(400.0)
                time.sleep(2.5)
                window.record(input_tokens=1, output_tokens=1)
            freezer.stop()
    """)
    (simulated_project.path / "conftest.py").write_text(
        "import pytest\nfrom simulated_nvml import SimulatedNvml\nNVML = SimulatedNvml.attach()\n"
        "@pytest.fixture\ndef gpu():\n    return NVML.gpu(0)\n"
    )
    simulated_project.run_apart().assert_outcomes(passed=1)
    record = simulated_project.records["test_it"]
    assert record["valid"]
    assert record["energy_j"] == within(1000.0, 0.05, record["uncertainty_j"])
