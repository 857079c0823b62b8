"""Several processes that measure on one GPU: they take turns, and every figure is its own."""

import json
from itertools import pairwise

import pytest
from patience import PATIENT_S
from simulated_project import SimulatedProject, within

pytestmark = pytest.mark.once


def calls(count: int) -> str:
    """So many tests with a window each, of which each draws another power."""
    return f"""
        @pytest.mark.parametrize("number", range({count}))
        def test_it(whq, chat, number):
            with whq.measure() as window:
                window.record(chat(0.3, 200.0 + 20 * number))
    """


def test_workers_take_turns_on_a_gpu(simulated_project: SimulatedProject) -> None:
    simulated_project.tests(calls(12))
    simulated_project.run_apart("-n4").assert_outcomes(passed=12)
    assert len(simulated_project.records) == 12
    hold_to_turns(simulated_project)


def hold_to_turns(project: SimulatedProject) -> None:
    """No two windows overlapped, and each figure is its own."""
    records, spans = project.records, project.spans
    assert len(records) == len(spans)
    in_order = sorted(span for of_test in spans.values() for span in of_test)
    assert all(before_end < after_start for (_, before_end), (after_start, _) in pairwise(in_order))
    for test, record in records.items():
        # How fast power falls is not known in the first window of each worker, and so many of them
        # hardly let each other read.
        assert set(record["reasons"]) <= {"imprecise", "window_too_short"}
        if record["energy_j"] is not None:
            assert record["energy_j"] == within(project.true_j(test), 0.01, record["uncertainty_j"])


def test_workers_with_a_temp_folder_each_take_turns_too(simulated_project: SimulatedProject) -> None:
    simulated_project.conftest("""
def pytest_sessionstart(session):
    import tempfile
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(dir=session.config.rootpath)
""")
    simulated_project.tests(calls(8))
    simulated_project.run_apart("-n8").assert_outcomes(passed=8)
    hold_to_turns(simulated_project)


def test_sessions_with_a_temp_folder_each_take_turns(
    simulated_project: SimulatedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated_project.tests("""
        def test_one(whq, chat):
            with whq.measure() as window:
                window.record(chat(1.0, 300.0))

        def test_other(whq, chat):
            with whq.measure() as window:
                window.record(chat(1.0, 370.0))
    """)
    sessions = []
    for test in ("one", "other"):
        folder = simulated_project.path / test
        folder.mkdir()
        monkeypatch.setenv("TMPDIR", str(folder))
        sessions.append(
            simulated_project.start("-p", "no:cacheprovider", "-k", test, f"--whq-json={test}.json")
        )
    for session in sessions:
        output, _ = session.communicate(timeout=PATIENT_S)
        assert session.returncode == 0, output
    spans = sorted(span for of_test in simulated_project.spans.values() for span in of_test)
    assert spans[0][1] < spans[1][0]
    for test in ("one", "other"):
        (record,) = json.loads((simulated_project.path / f"{test}.json").read_text("utf-8"))["records"]
        assert set(record["reasons"]) <= {"imprecise"}
        true_j = simulated_project.true_j(f"test_{test}")
        assert record["energy_j"] == within(true_j, 0.01, record["uncertainty_j"])
