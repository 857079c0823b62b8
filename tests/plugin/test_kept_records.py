"""What is kept of a session that goes wrong: report files and the journal."""

import signal
import time
from pathlib import Path

import pytest
from measured_project import MeasuredProject
from patience import PATIENT_S

from pytest_whq.storing.journal import LastSession, read_last_session, read_session

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""

LONG = """
import pathlib
import time
import pytest

def test_short(whq):
    with whq.measure() as window:
        window.record({})

@pytest.mark.whq(rounds=100, min_seconds=600, max_seconds=600)
def test_long(whq):
    whq(work)

def work():
    time.sleep(0.05)
    pathlib.Path("working").touch()
"""


def last_session(project: MeasuredProject) -> LastSession:
    return read_last_session(project.path / ".pytest_cache" / "d" / "whq")


def wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + PATIENT_S
    while not path.exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_the_journal_holds_what_the_report_file_holds(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    project.run().assert_outcomes(passed=1)
    session = last_session(project)
    assert session.note is None
    assert [record.test for record in session.run.records] == ["test_it.py::test_chat"]
    assert [device.name for device in session.run.rig.devices] == ["Scripted H100"]


def test_the_journal_names_the_device_that_only_a_later_test_opened(project: MeasuredProject) -> None:
    project.tests("def test_idle(whq): pass\n" + ONE_CALL)
    project.run().assert_outcomes(passed=2)
    session = last_session(project)
    assert [record.test for record in session.run.records] == [
        "test_it.py::test_idle",
        "test_it.py::test_chat",
    ]
    assert [device.name for device in session.run.rig.devices] == ["Scripted H100"]
    assert project.stored["rig"]["source"] == "scripted"


def test_a_session_without_measured_tests_leaves_the_journal(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    project.run().assert_outcomes(passed=1)
    project.tests("def test_other(): pass")
    project.run().assert_outcomes(passed=1)
    assert [record.test for record in last_session(project).run.records] == ["test_it.py::test_chat"]


def test_ctrl_c_ends_a_measurement_at_once_and_loses_no_finished_record(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests(LONG)
    process = project.start()
    wait_for(project.path / "working")
    process.send_signal(signal.SIGINT)
    interrupted_s = time.monotonic()
    output, _ = process.communicate(timeout=PATIENT_S)
    assert time.monotonic() - interrupted_s < 30.0, output
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    lines = output.splitlines()
    assert sum(line.startswith("test_it.py::test_short   ") for line in lines) == 1, output
    assert sum(line.startswith("!!!") and "KeyboardInterrupt" in line for line in lines) == 1, output
    # Where rounds were done before Ctrl-C, they stay.
    names = [name for name in ("test_short", "test_long") if name in project.records]
    assert names == list(project.records)
    assert names[0] == "test_short"
    session = last_session(project)
    assert [record.test for record in session.run.records] == [f"test_it.py::{name}" for name in names]
    assert session.note == "The session did not come to its end: 1 test had finished, 1 was interrupted."


@pytest.mark.parametrize(
    ("measured", "said", "count"),
    [
        ("whq(client.chat, 'Say hi.')", (), 2),
        ("pass", ("1 test was interrupted before it measured anything: test_it.py::test_long",), 1),
    ],
)
@pytest.mark.parametrize("ends", ["raise KeyboardInterrupt", "pytest.exit('enough')"])
def test_a_test_that_was_interrupted_has_not_finished(
    project: MeasuredProject, ends: str, measured: str, said: tuple[str, ...], count: int
) -> None:
    project.tests(f"import pytest\n{ONE_CALL}\ndef test_long(whq, client):\n    {measured}\n    {ends}\n")
    result = project.run_apart()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([*said, f"{count} measured, 1 interrupted · *"])
    outcomes = {name: record["outcome"] for name, record in project.records.items()}
    assert outcomes == {"test_chat": "passed"} | ({} if said else {"test_long": "interrupted"})
    assert last_session(project).note == (
        "The session did not come to its end: 1 test had finished, 1 was interrupted."
    )


def test_a_killed_session_leaves_its_finished_records_in_the_journal(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests(LONG)
    process = project.start()
    wait_for(project.path / "working")
    process.kill()
    process.communicate(timeout=PATIENT_S)
    assert not (project.path / "run.json").exists()
    session = last_session(project)
    assert [record.test for record in session.run.records] == ["test_it.py::test_short"]
    assert session.note == "The session did not come to its end: 1 test had finished."


def test_of_two_sessions_in_one_folder_of_which_one_is_killed_both_can_be_shown(
    project: MeasuredProject,
) -> None:
    project.use_real_time()
    project.tests(LONG)
    killed = project.start()
    try:
        wait_for(project.path / "working")
        other = project.start("-k", "test_short")
        other.communicate(timeout=PATIENT_S)
        assert other.returncode == 0
    finally:
        killed.kill()
        killed.communicate(timeout=PATIENT_S)
    session = last_session(project)
    assert session.note is None
    (unfinished,) = session.others
    assert [record.test for record in read_session(unfinished).run.records] == ["test_it.py::test_short"]


def test_a_report_that_can_no_longer_be_written_fails_the_session_and_loses_nothing(
    project: MeasuredProject,
) -> None:
    project.tests(
        """
        import pathlib

        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
            pathlib.Path("run.json").mkdir()
        """
    )
    result = project.run()
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_chat   100 mWh ± ?.? %",
            "1 measured · *",
            (
                f"{project.path}/run.json cannot be written (*). Give the path of a file in a "
                f"folder that is there "
                "and that you may write to. The records are kept: see whq show."
            ),
        ],
        consecutive=True,
    )
    assert [record.test for record in last_session(project).run.records] == ["test_it.py::test_chat"]

    (project.path / "run.json").rmdir()
    result = project.run("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.no_fnmatch_line("*The records are kept*")


def test_a_cache_that_cannot_be_written_is_said_and_costs_only_the_journal(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    (project.path / "cache").touch()
    result = project.run("-o", "cache_dir=cache", "-W", "ignore")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["No journal is kept: pytest's cache cannot be written (*)."])
    assert list(project.records) == ["test_chat"]


def test_an_internal_error_of_another_plugin_loses_no_finished_record(project: MeasuredProject) -> None:
    project.conftest(
        """
def pytest_runtest_logfinish(nodeid):
    if "second" in nodeid:
        raise ValueError("another plugin")
"""
    )
    project.tests(ONE_CALL + "\ndef test_second(): pass")
    assert project.run().ret == pytest.ExitCode.INTERNAL_ERROR
    assert list(project.records) == ["test_chat"]
    assert last_session(project).note == "The session did not come to its end: 1 test had finished."


def test_the_commit_of_the_tests_is_noted(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    project.run().assert_outcomes(passed=1)
    assert project.stored["commit"] is None
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.org"]
    project.pytester.run("git", "init", "-q", "-b", "trunk", ".")
    project.pytester.run("git", "add", "test_it.py")
    project.pytester.run(*git, "commit", "-qm", "first")
    commit = project.pytester.run("git", "rev-parse", "HEAD").outlines[0]
    project.run().assert_outcomes(passed=1)
    assert project.stored["commit"] == {"id": commit, "branch": "trunk", "dirty": False}
    project.tests(ONE_CALL + "\n")
    project.pytester.run("git", "checkout", "-q", "--detach")
    with (project.path / "test_it.py").open("a") as file:
        file.write("# changed\n")
    project.run().assert_outcomes(passed=1)
    assert project.stored["commit"] == {"id": commit, "branch": None, "dirty": True}


def test_a_source_that_fails_to_close_changes_nothing(project: MeasuredProject) -> None:
    project.conftest(
        """
def close():
    raise OSError("gone")

SOURCE.close = close
"""
    )
    project.tests(ONE_CALL)
    assert project.run().ret == pytest.ExitCode.OK
    assert project.records["test_chat"]["valid"]


def test_no_thread_and_no_open_source_is_left(project: MeasuredProject) -> None:
    project.conftest(
        """
import threading

def pytest_unconfigure():
    ours = [thread.name for thread in threading.enumerate() if "whq" in thread.name]
    print("closed:", SOURCE.closed, "threads:", len(ours))
"""
    )
    project.tests(ONE_CALL)
    project.run_apart().stdout.fnmatch_lines(["closed: True threads: 0"])
