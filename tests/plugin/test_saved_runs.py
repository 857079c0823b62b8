"""--whq-save keeps a session's run in a history."""

from pathlib import Path

from measured_project import MeasuredProject

from pytest_whq.storing.any_file import read_history_of

TEST = """
def test_one(whq, client):
    whq(client.chat, "hi")
"""


def kept_in(folder: Path) -> list[str]:
    return [row.test for run in read_history_of([folder])[0] for row in run.rows]


def test_a_run_is_kept_by_option_and_by_ini_setting(project: MeasuredProject) -> None:
    project.tests(TEST)
    assert project.run("--whq-save").ret == 0
    assert kept_in(project.path / ".whq" / "history") == ["test_it.py::test_one"]
    project.ini(whq_save="kept")
    result = project.run()
    assert kept_in(project.path / "kept") == ["test_it.py::test_one"]
    result.stdout.fnmatch_lines(["Written: run.json, kept/*.json"])
    project.ini(whq_save="false")
    project.run().stdout.fnmatch_lines(["Written: run.json"])
    project.ini(whq_save="true")
    project.run()
    assert len(kept_in(project.path / ".whq" / "history")) == 2
    project.run("--whq-save=other/place")
    assert kept_in(project.path / "other" / "place") == ["test_it.py::test_one"]


def test_tests_are_not_taken_for_the_folder(project: MeasuredProject) -> None:
    project.tests(TEST)
    for taken, what in ((".", "which holds Python files"), ("test_it.py", "which is no folder")):
        result = project.run("--whq-save", taken)
        assert result.ret == 4
        sentence = f"ERROR: --whq-save cannot be '{taken}', {what}: write --whq-save=FOLDER, *"
        result.stderr.fnmatch_lines([sentence])


def test_a_session_that_measures_nothing_keeps_nothing(project: MeasuredProject) -> None:
    project.tests("def test_plain(): pass")
    assert project.run("--whq-save").ret == 0
    assert not (project.path / ".whq").exists()


def test_a_session_that_is_broken_off_keeps_nothing_and_says_so(project: MeasuredProject) -> None:
    project.tests(TEST + "\ndef test_end():\n    raise KeyboardInterrupt\n")
    result = project.run_apart("--whq-save=kept")
    result.stdout.fnmatch_lines(["Nothing is kept in kept: the session did not come to its end."])
    assert not (project.path / "kept").exists()
