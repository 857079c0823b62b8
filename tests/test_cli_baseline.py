"""A baseline is shown like a run, with the changes that it can show."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import NOTHING, RIG, a_record, a_run

from pytest_whq.cli import main
from pytest_whq.model import Record, Rig
from pytest_whq.model.reasons import ESTIMATED
from pytest_whq.storing.runfile import write_run

Whq = Callable[..., tuple[int, list[str], str]]

LATEST = "whq: whq-baseline.json is a baseline of 2 runs: the latest of each test on the last one's rig.\n"


@pytest.fixture
def whq(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whq:
    """Run a command in an empty folder: its exit status, the lines that it prints, and its complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> tuple[int, list[str], str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err

    return run


def accepted(whq: Whq, day: int, *records: Record, rig: Rig = RIG) -> None:
    run = replace(a_run(*records, rig=rig), created=f"2026-11-{day:02}T08:00:00Z")
    write_run(run, f"run{day}.json")
    whq("accept", f"run{day}.json")


def test_a_baseline_is_shown_like_a_run_each_test_with_what_was_accepted_last(whq: Whq) -> None:
    accepted(whq, 1, a_record("test_it.py::test_a", energy_j=880.0), a_record("test_it.py::test_b"))
    accepted(whq, 2, a_record("test_it.py::test_a", energy_j=920.0))
    assert whq("show", "whq-baseline.json") == (
        0,
        [
            "test                  Wh/query ± 95 %",
            "test_it.py::test_a   12.8 mWh ± 1.8 %",
            "test_it.py::test_b   12.3 mWh ± 1.9 %",
            "2 measured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board",
        ],
        LATEST,
    )
    _, shown, _ = whq("show", "-v", "whq-baseline.json")
    assert "20   5,120 in, 2,560 out             359 mJ" in shown[1]
    _, shown, _ = whq("show", "whq-baseline.json", "--format", "csv")
    assert len(shown) == 3


def test_a_baseline_names_estimates(whq: Whq) -> None:
    accepted(whq, 1, a_record("test_it.py::test_a", method="estimate", reasons=(ESTIMATED,)))
    _, (_, of_run, _), _ = whq("show", "run1.json")
    _, (_, of_baseline, _), _ = whq("show", "whq-baseline.json")
    assert of_baseline == of_run
    assert of_run.endswith("   estimated")


def test_what_another_source_measured_is_named_and_left_out(whq: Whq) -> None:
    accepted(whq, 1, a_record("test_it.py::test_old"), rig=replace(RIG, source="rapl"))
    accepted(whq, 2, a_record("test_it.py::test_new"))
    status, shown, complaint = whq("show", "whq-baseline.json")
    assert (status, len(shown)) == (0, 3)
    assert complaint == f"{LATEST}whq: 1 test of other rigs cannot be shown beside the others.\n"


def test_power_tells_for_each_test_what_one_run_three_and_six_could_find(whq: Whq) -> None:
    for day in (1, 2, 3):
        accepted(whq, day, a_record("test_it.py::test_a"))
    accepted(whq, 4, a_record("test_it.py::test_b"))
    _, shown, _ = whq("show", "whq-baseline.json", "--power")
    assert shown[4:] == [
        "",
        "Smallest change found 4 times of 5, where no other test changes:",
        "test                 accepted   by 1 run   by 3 runs   by 6 runs",
        "test_it.py::test_a     3 runs     +6.2 %      +5.9 %      +5.7 %",
        "test_it.py::test_b      1 run     +6.6 %      +6.2 %      +6.1 %",
    ]
    _, narrower, _ = whq("show", "whq-baseline.json", "--power", "--max-regression=1%", "--run-noise=0.3%")
    assert narrower[-1].split()[3] == "+3.0"
    _, of_run, _ = whq("show", "run4.json", "--power")
    assert of_run[-1].split()[:3] == ["test_it.py::test_b", "1", "run"]


def test_power_of_a_run_without_figures_is_a_sentence(whq: Whq) -> None:
    write_run(a_run(NOTHING), "run.json")
    _, shown, _ = whq("show", "run.json", "--power")
    assert shown[-1] == "No change could be found: no test has a figure that others can be compared with."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run1.json", "--power", "--format", "csv"], "--power is for the terminal: leave --format out."),
        (
            ["run1.json", "--run-noise", "2%"],
            "--max-regression, --run-noise and --other-boards are for --power: add it.",
        ),
        (["empty.json"], "empty.json is a baseline of no runs. Accept one with whq accept."),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(whq: Whq, arguments: list[str], sentence: str) -> None:
    accepted(whq, 1, a_record())
    Path("empty.json").write_text('{"format": 1, "runs": []}', "utf-8")
    assert whq("show", *arguments) == (2, [], f"whq: {sentence}\n")
