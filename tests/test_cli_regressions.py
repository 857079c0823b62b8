import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import NOTHING, a_record, a_run

from pytest_whq.cli import main
from pytest_whq.cli.console import JOURNAL_FOLDER
from pytest_whq.model import Gap, GapKind, Record
from pytest_whq.model.gaps import RAN
from pytest_whq.storing.baseline_file import read_baseline
from pytest_whq.storing.journal import Journal
from pytest_whq.storing.runfile import write_run

RIG = "NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"

FINDABLE = "Smallest change found 4 times of 5: {} (test_chat.py::test_a)\n"

Whq = Callable[..., tuple[int, str, str]]


@pytest.fixture
def whq(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whq:
    """Run a command in an empty folder: its exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def steady(energy_j: float, test: str = "test_a") -> Record:
    return a_record(f"tests/test_chat.py::{test}", energy_j=energy_j, interval95={}, uncertainty_j=0.0)


def store(path: str, day: int, *records: Record) -> None:
    write_run(replace(a_run(*records), created=f"2026-11-{day:02}T08:00:00Z"), path)


REGRESSED = (
    "test                    Wh/query ± 95 %   baseline    change   verdict\n"
    "test_chat.py::test_a   13.5 mWh ± 0.0 %   12.3 mWh   +10.0 %   regressed\n"
    f"1 measured, 1 regressed · {RIG}\n"
    "tests/test_chat.py::test_a: wh_per_query is 13.5 mWh, +10.0 % (+5.8 % to +14.4 %) from its baseline of "
    "12.3 mWh (1 run of 2026-11-01, commit c0ffee), more than the 5.0 % allowed (default); "
    "j_per_output_token regressed (+10.0 %).\n"
    f"{FINDABLE.format('+6.4 %')}"
)


@pytest.mark.parametrize("kind", RAN)
def test_what_became_of_tests_that_ran_is_told_whatever_judges_the_run(whq: Whq, kind: GapKind) -> None:
    write_run(replace(a_run(steady(884.0)), gaps=(Gap(kind, "tests/test_chat.py::test_b"),)), "head.json")
    store("base.json", 1, steady(884.0), steady(884.0, "test_b"))
    assert whq("accept", "base.json")[0] == 0
    Path("whq.toml").write_text("[[budgets]]\nwh_per_query = 1\n")
    for arguments in (
        ("check", "head.json", "--budgets", "whq.toml"),
        ("check", "head.json", "--baseline", "whq-baseline.json"),
        ("compare", "base.json", "--", "head.json"),
    ):
        _, shown, _ = whq(*arguments)
        (line,) = (line for line in shown.splitlines() if "test_b" in line)
        assert re.match(r"1 test (failed|crashed|was interrupted)", line)


def test_accept_tells_what_it_took_and_what_not(whq: Whq) -> None:
    store("run.json", 1, steady(884.0), NOTHING)
    assert whq("accept", "run.json") == (
        0,
        (
            "Accepted 1 test into whq-baseline.json.\n"
            "Left out 1 test: nvml: driver not loaded (test_chat.py::test_nothing).\n"
        ),
        "",
    )
    assert whq("accept", "run.json", "--baseline", "other.json")[1].startswith(
        "Accepted 1 test into other.json"
    )
    status, out, _ = whq("accept", "run.json")
    assert (status, out.splitlines()[:2]) == (
        0,
        [
            "Accepted no tests into whq-baseline.json.",
            "Left out 1 test: it is in the baseline already (test_chat.py::test_a).",
        ],
    )


def test_accept_takes_several_runs_or_the_last_session(whq: Whq) -> None:
    store("1.json", 1, steady(884.0))
    store("2.json", 2, steady(885.0))
    assert whq("accept", "1.json", "2.json")[:2] == (0, "Accepted 1 test into whq-baseline.json.\n")
    journal = Journal.start(JOURNAL_FOLDER, a_run())
    journal.add(steady(886.0))
    journal.finish()
    assert whq("accept")[:2] == (0, "Accepted 1 test into whq-baseline.json.\n")
    entries = read_baseline("whq-baseline.json").of("tests/test_chat.py::test_a")
    assert [entry.energy_j for entry in entries] == [884.0, 885.0, 886.0]


def test_accept_that_makes_no_baseline_fails(whq: Whq) -> None:
    store("empty.json", 1)
    assert whq("accept", "empty.json", "--baseline", "new.json") == (
        1,
        "Accepted no tests into new.json.\n",
        "whq: new.json is not made: there is no test that it could take.\n",
    )


def test_check_does_not_tell_to_accept_a_test_that_failed(whq: Whq) -> None:
    store("base.json", 1, steady(884.0))
    store("run.json", 2, replace(steady(884.0, "test_b"), outcome="failed"), steady(884.0, "test_c"))
    whq("accept", "base.json")
    out = whq("check", "run.json", "--baseline", "whq-baseline.json")[1].splitlines()
    assert "1 test new, not in the baseline, and cannot be accepted: the test failed" in out
    assert "1 test new, not in the baseline: accept with --whq-update-baseline or whq accept" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("base.json base.json", "base.json is given twice: whq compare sets different runs side by side."),
        (
            "base.json -- base.json --format markdown",
            "--format goes before --, behind which there are runs: whq compare BASE... -- HEAD...",
        ),
    ],
)
def test_compare_says_what_is_wrong_with_its_arguments(whq: Whq, arguments: str, sentence: str) -> None:
    store("base.json", 1, steady(884.0))
    assert whq("compare", *arguments.split()) == (2, "", f"whq: {sentence}\n")


def test_many_tests_that_are_left_out_are_counted(whq: Whq) -> None:
    store("run.json", 1, *(replace(NOTHING, test=f"test_{n}") for n in range(7)))
    assert whq("accept", "run.json")[1].splitlines()[1] == (
        "Left out 7 tests: nvml: driver not loaded (test_0, test_1, test_2, test_3, test_4 and 2 more)."
    )


def test_check_judges_by_a_baseline(whq: Whq) -> None:
    store("base.json", 1, steady(884.0))
    store("run.json", 2, steady(972.4))
    whq("accept", "base.json")
    assert whq("check", "run.json", "--baseline", "whq-baseline.json") == (1, REGRESSED, "")
    assert whq("check", "base.json", "--baseline", "whq-baseline.json")[0] == 0
    status, out, _ = whq("check", "run.json", "--baseline", "whq-baseline.json", "--max-regression", "15%")
    assert (status, out.splitlines()[1]) == (
        0,
        "test_chat.py::test_a   13.5 mWh ± 0.0 %   12.3 mWh   +10.0 %   unchanged",
    )


def test_check_fails_what_the_baseline_has_and_the_run_did_not_measure(whq: Whq) -> None:
    store("base.json", 1, steady(884.0), steady(884.0, "test_b"))
    store("run.json", 2, steady(884.0), replace(NOTHING, test="tests/test_chat.py::test_b"))
    whq("accept", "base.json")
    said = "tests/test_chat.py::test_b: wh_per_query was not measured, though the baseline has this test: "
    for command in (
        ("check", "run.json", "--baseline", "whq-baseline.json"),
        ("compare", "base.json", "--", "run.json"),
    ):
        status, out, _ = whq(*command)
        assert status == 1
        assert f"{said}nvml: driver not loaded." in out.splitlines()
        assert "whq-budget" not in out


def test_check_takes_limits_of_regressions_from_the_file_of_budgets(whq: Whq) -> None:
    store("base.json", 1, steady(884.0))
    store("run.json", 2, steady(972.4))
    whq("accept", "base.json")
    Path("whq.toml").write_text('[[budgets]]\nwh_per_query = 0.0125\nmax_regression = "15%"\n')
    status, out, _ = whq("check", "run.json", "--baseline", "whq-baseline.json", "--budgets", "whq.toml")
    assert (status, out.splitlines()[2:]) == (
        1,
        [
            "    baseline 12.3 mWh",
            f"1 measured, 1 over budget · {RIG}",
            (
                "tests/test_chat.py::test_a: wh_per_query is 13.5 mWh, 8.0 % over its budget of "
                "12.5 mWh (whq.toml, budgets[0]): 20 queries, 5120 input and 2560 output tokens, "
                "NVIDIA H200, nvml counter."
            ),
            FINDABLE.format("+16.6 %").strip(),
        ],
    )


def test_compare_sets_runs_against_runs(whq: Whq) -> None:
    store("base.json", 1, steady(884.0))
    store("head.json", 2, steady(972.4))
    assert whq("compare", "base.json", "--", "head.json") == (1, REGRESSED, "")
    assert whq("compare", "head.json", "--", "base.json") == (
        0,
        (
            "test                    Wh/query ± 95 %   baseline   change   verdict\n"
            "test_chat.py::test_a   12.3 mWh ± 0.0 %   13.5 mWh   -9.1 %   improved\n"
            f"1 measured, 1 improved · {RIG}\n"
            f"{FINDABLE.format('+6.4 %')}"
        ),
        "",
    )
    assert whq("compare", "base.json", "--run-noise", "10%", "--", "head.json")[0] == 0


def test_compare_tells_what_only_one_side_has(whq: Whq) -> None:
    store("base.json", 1, steady(884.0), steady(1.0, "test_gone"))
    store("head.json", 2, steady(884.0), steady(1.0, "test_new"))
    assert whq("compare", "base.json", "--", "head.json") == (
        0,
        (
            "test                        Wh/query ± 95 %   baseline   change   verdict\n"
            "test_chat.py::test_a       12.3 mWh ± 0.0 %   12.3 mWh   +0.0 %   unchanged\n"
            "test_chat.py::test_new   0.0139 mWh ± 0.0 %                       new\n"
            "1 test is in the base only, and not compared: test_chat.py::test_gone\n"
            f"2 measured · {RIG}\n"
            "1 test new, not in the baseline: accept with --whq-update-baseline or whq accept\n"
            f"{FINDABLE.format('+6.4 %')}"
        ),
        "",
    )


@pytest.mark.parametrize("records", [(), (NOTHING,), (steady(884.0, "test_other"),)])
def test_compare_that_compares_nothing_says_so_in_every_report(whq: Whq, records: tuple[Record, ...]) -> None:
    store("base.json", 1, steady(884.0))
    store("head.json", 2, *records)
    for way in ("terminal", "markdown"):
        status, out, _ = whq("compare", "base.json", "--format", way, "--html", "it.html", "--", "head.json")
        assert (status, out.count("Nothing was compared: "), "no change" in out) == (1, 1, False)
    assert "Nothing was compared: " in Path("it.html").read_text("utf-8")


def test_compare_prints_what_a_program_reads_alone_in_its_output(
    whq: Whq, monkeypatch: pytest.MonkeyPatch
) -> None:
    store("base.json", 1, steady(884.0))
    store("head.json", 2, steady(972.4))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    status, out, err = whq("compare", "base.json", "--format", "json", "--csv", "it.csv", "--", "head.json")
    assert status == 1
    assert json.loads(out)["records"][0]["comparison"]["outcome"] == "regressed"
    assert err.startswith("whq: Written: it.csv\n::error file=")
    assert whq("compare", "base.json", "--format", "markdown", "--", "head.json")[1].startswith("<!-- ")


def test_runs_stand_side_by_side_and_nothing_is_judged(whq: Whq, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    store("8b.json", 1, steady(884.0), steady(88.4, "test_b"))
    store("70b.json", 2, steady(1768.0))
    last = replace(a_run(steady(442.0), steady(44.2, "test_b")), rig=replace(a_run().rig, source="rapl"))
    write_run(last, "1b.json")
    status, out, err = whq("compare", "8b.json", "70b.json", "1b.json")
    assert (status, err) == (0, "")
    header, *lines = out.splitlines()
    assert header.split() == ["test", "8b", "70b", "1b"]
    exact = "mWh ± 0.0 %"
    assert [re.split(" {3,}", line) for line in lines] == [
        [
            "test_chat.py::test_a",
            f"12.3 {exact}",
            "2.00 x",
            f"24.6 {exact}",
            "4.00 x",
            f"6.14 {exact}",
            "best",
        ],
        ["test_chat.py::test_b", f"1.23 {exact}", "2.00 x", f"0.614 {exact}", "best"],
        [f"8b, 70b: {RIG}"],
        [f"1b: {RIG.replace('nvml', 'rapl')}"],
    ]
    rows = whq("compare", "8b.json", "1b.json", "--format", "markdown")[1].splitlines()
    cells = ["`test_chat.py::test_a`", "12.3 mWh ± 0.0 %", "2.00 x", "6.14 mWh ± 0.0 %", "best"]
    assert rows[2].replace("&nbsp;", " ") == f"| {' | '.join(cells)} |"
    status, out, err = whq("compare", "8b.json", "1b.json", "--format", "markdown", "--html", "new/x.html")
    assert (status, out, err) == (0, "\n".join([*rows, ""]), "whq: Written: new/x.html\n")
    assert Path("new/x.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert whq("compare", "8b.json", "1b.json", "--format", "html")[1].startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--max-regression", "3%"], "--max-regression does nothing for runs side by side"),
        (["--sort", "power"], "--sort does nothing for runs side by side"),
        (["--csv", "x.csv"], "--csv does nothing for runs side by side"),
        (["--format", "csv"], "Runs side by side can be printed as terminal, markdown, html"),
    ],
)
def test_what_only_runs_that_are_judged_have_is_refused(whq: Whq, options: list[str], sentence: str) -> None:
    rest = "to judge some of them by the others, put them after --."
    assert whq("compare", "8b.json", "1b.json", *options) == (2, "", f"whq: {sentence}: {rest}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["accept", "nope.json"], "nope.json cannot be read (No such file or directory). Check the path."),
        (
            ["accept"],
            (
                ".pytest_cache/d/whq holds no session. "
                "Run pytest here on tests with the whq fixture, or name a run file."
            ),
        ),
        (
            ["accept", "run.json", "--baseline", "run.json"],
            (
                "run.json is not a baseline of pytest-whq. "
                "Give one that pytest --whq-update-baseline or whq accept wrote."
            ),
        ),
        (
            ["check", "run.json", "--baseline", "nope.json"],
            "nope.json cannot be read (No such file or directory). Check the path.",
        ),
        (
            ["compare", "run.json"],
            (
                "whq compare needs the runs to judge after --: whq compare BASE... -- HEAD...; "
                "or two runs or more to show side by side."
            ),
        ),
        (
            ["compare", "run.json", "--max-regression", "-5%", "--", "run.json"],
            "argument --max-regression: expected one argument (see whq compare --help).",
        ),
        (
            ["compare", "run.json", "--max-regression=0", "--", "run.json"],
            "--max-regression must be a share above 0, such as \"5%\" or 0.05, not '0'.",
        ),
        (
            ["compare", "run.json", "--run-noise=1e300", "--", "run.json"],
            "--run-noise must be a share such as \"2%\" or 0.02, not '1e300'.",
        ),
        (["show", "run.json", "--", "x"], "unrecognized arguments: x (see whq show --help)."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(whq: Whq, arguments: list[str], sentence: str) -> None:
    store("run.json", 1, steady(884.0))
    assert whq(*arguments) == (2, "", f"whq: {sentence}\n")


def test_compare_writes_its_reports_and_tells_github(whq: Whq, monkeypatch: pytest.MonkeyPatch) -> None:
    store("base.json", 1, steady(884.0))
    store("head.json", 2, steady(972.4))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    reports = ("--markdown", "whq.md", "--html", "whq.html")
    status, out, _ = whq("compare", "base.json", *reports, "--", "head.json")
    assert (status, out.splitlines()[-3:-1]) == (1, ["Written: whq.md", "Written: whq.html"])
    assert out.splitlines()[-1].startswith("::error file=tests/test_chat.py,")
    assert Path("summary.md").read_text("utf-8") == Path("whq.md").read_text("utf-8")
    assert "**regressed**" in Path("whq.md").read_text("utf-8")
    assert "regressed" in Path("whq.html").read_text("utf-8")
