"""``whq run``: a command as one window, with its exit code."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_whq.cli import main
from pytest_whq.model import Device
from pytest_whq.storing.runfile import read_run
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

BOARD = Device(f"GPU-{__file__}", "Scripted H100", 700.0)


@pytest.fixture(autouse=True)
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure 360 W in an empty folder."""
    monkeypatch.chdir(tmp_path)
    clock = FakeClock()
    source = ScriptedSource(clock, watts=360.0, period_s=1e-6, device=BOARD)
    with sessions_measure(clock, nvml=lambda devices: source):
        yield


def test_a_command_is_measured_and_its_queries_counted(capfd: pytest.CaptureFixture[str]) -> None:
    command = ["--", sys.executable, "-c", "print('hi')"]
    arguments = ["--queries", "7", "--source", "nvml", "--idle-ok", "--name", "bench", "--json", "run.json"]
    assert main(["run", *arguments, *command]) == 0
    shown = capfd.readouterr()
    assert shown.out == "hi\n"
    assert "1 measured · Scripted H100" in shown.err or "not measured" in shown.err
    assert shown.err.endswith("Written: run.json\n")
    (record,) = read_run("run.json").records
    assert (record.test, record.outcome, record.measurement.queries) == ("bench", "passed", 7)


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_the_exit_code_is_the_commands_own(
    code: str, expected: int, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--source", "nvml", "--json", "run.json", "--", sys.executable, "-c", code]
    assert main(["run", *arguments]) == expected
    (record,) = read_run("run.json").records
    assert (record.outcome, record.measurement.queries, record.measurement.failed_queries) == ("failed", 0, 1)


@pytest.mark.parametrize("code", ["True", "False"])
def test_so_many_queries_as_a_day_of_serving_has_take_no_time_to_count(code: str) -> None:
    command = ["--", sys.executable, "-c", f"raise SystemExit(not {code})"]
    arguments = ["--queries", "1000000000", "--source", "nvml", "--json", "run.json", *command]
    assert main(["run", *arguments]) == (code != "True")
    (record,) = read_run("run.json").records
    counted = (record.measurement.queries, record.measurement.failed_queries)
    assert counted == ((10**9, 0) if code == "True" else (0, 10**9))


@pytest.mark.parametrize(
    "wrong", [["--sort", "bogus"], ["--columns", "bogus"], ["--queries", "1" + "0" * 20]]
)
def test_what_cannot_be_is_refused_before_the_command_runs(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--", sys.executable, "-c", "open('ran', 'w').close()"]
    assert main(["run", "--source", "nvml", *wrong, *command]) == 2
    assert f"whq: {wrong[0]} cannot be " in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_a_report_that_cannot_be_written_leaves_the_commands_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    arguments = ["--source", "nvml", "--json", "taken/run.json", "--html", "new/page.html"]
    assert main(["run", *arguments, "--", sys.executable, "-c", "raise SystemExit(3)"]) == 3
    shown = capfd.readouterr().err
    assert "whq: taken/run.json cannot be written (Not a directory)." in shown
    assert "Written: new/page.html\n" in shown


def test_a_command_is_not_said_to_lack_tokens(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--source", "nvml", "--idle-ok", "--json", "run.json", "--", sys.executable, "-c", "pass"]
    assert main(["run", *arguments]) == 0
    assert "token" not in capfd.readouterr().err
    (record,) = read_run("run.json").records
    told = {reason.code: reason.sentence for reason in record.measurement.reasons}
    assert told["tokens_missing"] == "a whole command was measured, whose replies nobody read"


def test_a_file_is_not_called_by_a_dash(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["--", sys.executable, "-c", "open('ran', 'w').close()"]
    assert main(["run", "--source", "nvml", "--markdown", "-", *command]) == 2
    assert capsys.readouterr().err == (
        "whq: argument --markdown: - is no file: whq show --format prints to standard output; "
        "./- is a file of that name (see whq run --help).\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "whq: whq run needs a command after --: whq run --queries 100 -- python bench.py\n"),
        (["true"], "whq: unrecognized arguments: true; is a -- missing before them? (see whq run --help).\n"),
        (["--soruce", "x"], "whq: unrecognized arguments: --soruce x (see whq run --help).\n"),
        (["--queries", "0", "--", "true"], "whq: --queries must be a whole number of at least 1, not '0'.\n"),
        (["--", "./gone"], "whq: ./gone cannot be run (No such file or directory).\n"),
    ],
)
def test_what_cannot_run_is_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["run", "--source", "nvml", *arguments] if arguments[-1:] == ["./gone"] else ["run", *arguments])
        == 2
    )
    assert capsys.readouterr().err.endswith(sentence)
