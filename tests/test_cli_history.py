"""``whq history``, and baselines where a run is taken."""

import sys
from pathlib import Path

import pytest
from samples import a_record, a_run

sys.path.insert(0, str(Path(__file__).parent / "history"))

from kept_runs import CHAT, a_day

from pytest_whq.cli import main
from pytest_whq.model.history import kept_of
from pytest_whq.storing.baseline_file import read_baseline, update_baseline
from pytest_whq.storing.history_file import HISTORY_FOLDER, write_history
from pytest_whq.storing.runfile import write_run

DAYS = [a_day(number, {CHAT: 0.01 if number < 6 else 0.0105}) for number in range(1, 11)]
CHANGE = "+5.0 % at 06c0ffee on main, 2026-11-06"


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_a_history_is_shown_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    for run in DAYS:
        write_history(kept_of(run), HISTORY_FOLDER)
    assert main(["history", "--html", "new/page.html"]) == 0
    assert CHANGE in capsys.readouterr().out
    assert CHANGE in Path("new/page.html").read_text("utf-8")


def test_run_files_and_baselines_are_part_of_a_history(capsys: pytest.CaptureFixture[str]) -> None:
    update_baseline(Path("whq-baseline.json"), DAYS[:5])
    Path("runs").mkdir()
    for number, run in enumerate(DAYS[5:]):
        write_run(run, f"runs/{number}.json")
    assert main(["history", "runs", "whq-baseline.json"]) == 0
    assert CHANGE in capsys.readouterr().out


def test_without_the_package_all_but_changes_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ruptures", None)
    write_run(DAYS[0], "run.json")
    assert main(["history", "run.json"]) == 0
    shown = capsys.readouterr()
    assert "test_chat.py::test_short      1   10.0 mWh" in shown.out
    assert shown.err == (
        "whq: Change points are not looked for: the package ruptures is missing. "
        'Install it: pip install "pytest-whq[history]".\n'
    )


def test_a_broken_file_is_named_and_the_others_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [write_history(kept_of(run), HISTORY_FOLDER) for run in DAYS]
    paths[3].write_text("{")
    assert main(["history"]) == 0
    shown = capsys.readouterr()
    assert CHANGE in shown.out
    assert shown.err == (
        f"whq: {paths[3]} is not whole JSON (Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)). Restore it from version control, or take it out of the history.\n"
        "whq: 1 file of the history cannot be read: what is shown is of the others.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["history"], "whq: .whq/history keeps no run: pytest --whq-save keeps each there."),
        (["history", "run.json", "--tests", "no*"], "whq: --tests no* fits none of the tests in 1 runs."),
        (["history", "gone"], "whq: gone cannot be read (No such file or directory). Check the path."),
        (["show", "kept.json"], "whq: kept.json is of a history, which keeps figures only."),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(DAYS[0], "run.json")
    write_history(kept_of(DAYS[0]), Path("kept")).rename("kept.json")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_a_baseline_is_shown_compared_and_accepted_as_runs_are(capsys: pytest.CaptureFixture[str]) -> None:
    update_baseline(Path("base.json"), DAYS[:5])
    assert main(["show", "base.json"]) == 0
    shown = capsys.readouterr()
    assert "test_chat.py::test_short   10.0 mWh" in shown.out
    assert "base.json is a baseline of 5 runs" in shown.err
    write_run(a_run(a_record(CHAT, energy_j=0.012 * 3600 * 20)), "head.json")
    assert main(["compare", "base.json", "--", "head.json"]) == 1
    assert "+20.0 %" in capsys.readouterr().out
    assert main(["accept", "base.json", "--baseline", "new.json"]) == 0
    assert len(read_baseline("new.json").of(CHAT)) == 5
