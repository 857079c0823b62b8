import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import FULL, NOTHING, RIG, a_record, a_run
from simulated_nvml import SimulatedNvml

from pytest_whq import cli
from pytest_whq.cli import main
from pytest_whq.cli.console import JOURNAL_FOLDER
from pytest_whq.model import Run
from pytest_whq.storing.baseline_file import update_baseline
from pytest_whq.storing.journal import Journal
from pytest_whq.storing.runfile import write_run
from pytest_whq.storing.stamp import now

SUMMARY = "NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"
WHQ = (sys.executable, "-c", "import sys; from pytest_whq.cli import main; sys.exit(main())")

Whq = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, in a terminal of 100 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def whq(capsys: pytest.CaptureFixture[str]) -> Whq:
    """Run a command in this process: its exit status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_show_prints_a_run(whq: Whq) -> None:
    write_run(a_run(a_record(), NOTHING), "run.json")
    assert whq("show", "run.json") == (
        0,
        (
            "test                          Wh/query ± 95 %\n"
            "test_chat.py::test_short     12.3 mWh ± 1.9 %\n"
            "test_chat.py::test_nothing   not measured: nvml: driver not loaded\n"
            f"1 measured, 1 not measured · {SUMMARY}\n"
        ),
        "",
    )


def test_show_tells_more_when_asked(whq: Whq) -> None:
    write_run(a_run(a_record()), "run.json")
    assert whq("show", "run.json", "-v") == (
        0,
        (
            "test                        Wh/query ± 95 %\n"
            "test_chat.py::test_short   12.3 mWh ± 1.9 %\n"
            "    20 queries   5,120 in, 2,560 out   345 mJ/output token   143 W   1 round   6.2 s\n"
            f"1 measured · {SUMMARY}\n"
        ),
        "",
    )


def test_show_prints_a_run_as_json(whq: Whq) -> None:
    write_run(a_run(a_record(), FULL), "run.json")
    assert whq("show", "run.json", "--format", "json") == (0, Path("run.json").read_text(), "")


def test_show_without_a_run_prints_the_last_session(whq: Whq) -> None:
    journal = Journal.start(JOURNAL_FOLDER, replace(a_run(), created=now()))
    journal.add(a_record())
    header = "test                        Wh/query ± 95 %\n"
    line = f"{header}test_chat.py::test_short   12.3 mWh ± 1.9 %\n1 measured · {SUMMARY}\n"
    assert whq("show") == (0, line, "whq: The session did not come to its end: 1 test had finished.\n")
    journal.finish()
    assert whq("show") == (0, line, "")


def test_show_offers_the_sessions_that_ran_at_the_same_time(whq: Whq) -> None:
    first = Journal.start(JOURNAL_FOLDER, replace(a_run(), created=now()))
    first.add(a_record())
    second = Journal.start(JOURNAL_FOLDER, replace(a_run(), created=now()))
    second.add(a_record("t.py::test_second"))
    second.finish()
    os.utime(first.path, (1, 1))  # The second was the last to write.
    offer = f"whq: Another session measured here at the same time: see whq show {first.path}\n"
    header = "test                 Wh/query ± 95 %\n"
    shown = f"{header}t.py::test_second   12.3 mWh ± 1.9 %\n1 measured · {SUMMARY}\n"
    assert whq("show") == (0, shown, offer)
    note = "whq: The session did not come to its end: 1 test had finished.\n"
    header = "test                        Wh/query ± 95 %\n"
    assert whq("show", str(first.path)) == (
        0,
        f"{header}test_chat.py::test_short   12.3 mWh ± 1.9 %\n1 measured · {SUMMARY}\n",
        note,
    )
    first.finish()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["show"],
            (
                ".pytest_cache/d/whq holds no session. "
                "Run pytest here on tests with the whq fixture, or name a run file."
            ),
        ),
        (["show", "nope.json"], "nope.json cannot be read (No such file or directory). Check the path."),
        (["show", "no\npe.json"], "no\\npe.json cannot be read (No such file or directory). Check the path."),
        (
            ["show", "pyproject.toml"],
            "pyproject.toml holds no JSON, as files of results do. Check the path.",
        ),
        (
            ["check", "run.json", "--budgets", "nope.toml"],
            "nope.toml cannot be read (No such file or directory). Check the path.",
        ),
        (
            ["check", "run.json", "--budgets", "latin.toml"],
            "latin.toml is not UTF-8 text (invalid continuation byte). Save it as UTF-8.",
        ),
        (
            ["check", "run.json", "--budgets", "pyproject.toml"],
            "pyproject.toml, budgets[0]: wh_per_query must be a number of Wh above 0, not -1.",
        ),
        (["check", "run.json"], "whq check needs --budgets, --baseline or both (see whq check --help)."),
        ([], "the following arguments are required: COMMAND (see whq --help)."),
        (["show", "a", "b"], "unrecognized arguments: b (see whq show --help)."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(whq: Whq, arguments: list[str], sentence: str) -> None:
    write_run(a_run(a_record()), "run.json")
    Path("pyproject.toml").write_text("[[tool.whq.budgets]]\nwh_per_query = -1\n")
    Path("latin.toml").write_bytes(b"# caf\xe9 \n")
    assert whq(*arguments) == (2, "", f"whq: {sentence}\n")


def test_check_passes_what_is_within_its_budgets(whq: Whq) -> None:
    write_run(a_run(a_record()), "run.json")
    Path("whq.toml").write_text("[[budgets]]\nwh_per_query = 0.05\n")
    assert whq("check", "run.json", "--budgets", "whq.toml") == (
        0,
        (
            "test                        Wh/query ± 95 %   budget used\n"
            f"test_chat.py::test_short   12.3 mWh ± 1.9 %   24.6 % of 50.0 mWh\n1 measured · {SUMMARY}\n"
        ),
        "",
    )


def test_check_fails_what_exceeds_a_budget_or_was_not_measured(whq: Whq) -> None:
    write_run(a_run(a_record(), NOTHING), "run.json")
    Path("whq.toml").write_text("[[budgets]]\nwh_per_query = 0.01\n")
    assert whq("check", "run.json", "--budgets", "whq.toml") == (
        1,
        (
            "test                          Wh/query ± 95 %   budget used\n"
            "test_chat.py::test_short     12.3 mWh ± 1.9 %   122.8 % of 10.0 mWh, exceeded\n"
            "test_chat.py::test_nothing   not measured: nvml: driver not loaded\n"
            f"1 measured, 1 not measured, 1 over budget, 1 with a budget unmeasured · {SUMMARY}\n"
            "tests/test_chat.py::test_short: wh_per_query is 12.3 mWh, 22.8 % over its budget of 10.0 mWh "
            "(whq.toml, budgets[0]): 20 queries, 5120 input and 2560 output tokens, NVIDIA H200, "
            "nvml counter.\n"
            "tests/test_chat.py::test_nothing: wh_per_query has a budget of 10.0 mWh (whq.toml, budgets[0]) "
            "but was not measured (0 queries, tokens unknown, NVIDIA H200, nvml): nvml: driver not loaded.\n"
        ),
        "",
    )


def test_check_judges_by_the_file_and_not_by_the_verdicts_stored(whq: Whq) -> None:
    write_run(a_run(FULL), "run.json")
    Path("whq.toml").write_text('[[budgets]]\ntests = "other.py::*"\nwh_per_query = 0.01\n')
    assert whq("check", "run.json", "--budgets", "whq.toml") == (
        1,
        (
            "test                       Wh/query ± 95 %   warnings\n"
            "test_chat.py::test_full   12.3 mWh ± 1.9 %   imprecise, throttled\n"
            "Nothing was judged: no budget in whq.toml applies to what was measured\n"
            "1 budget of a file is for no measured test: other.py::* (whq.toml, budgets[0])\n"
            f"1 measured · {SUMMARY}\n"
        ),
        "",
    )


READ = "the command reads it"


@pytest.mark.parametrize(
    ("arguments", "option", "path", "why"),
    [
        ("check run.json --budgets whq.toml --markdown run.json", "--markdown", "run.json", READ),
        ("check run.json --budgets whq.toml --csv whq.toml", "--csv", "whq.toml", READ),
        ("check run.json --baseline base.json --json base.json", "--json", "base.json", READ),
        ("compare --html run.json run.json -- other.json", "--html", "run.json", READ),
        ("compare run.json --html other.json -- other.json", "--html", "other.json", READ),
        ("import power log.csv --queries 1 -o log.csv", "-o", "log.csv", READ),
        (
            "history --html other.json run.json",
            "--html",
            "other.json",
            "it holds a run, and this would be another report",
        ),
        ("compare run.json --csv x --html ./x -- other.json", "--html", "x", "another report is"),
    ],
)
def test_no_report_takes_the_place_of_what_is_read(
    whq: Whq, arguments: str, option: str, path: str, why: str
) -> None:
    write_run(a_run(a_record()), "run.json")
    write_run(a_run(a_record()), "other.json")
    update_baseline(Path("base.json"), [a_run(a_record())])
    Path("whq.toml").write_text("[[budgets]]\nwh_per_query = 0.05\n")
    Path("log.csv").write_text("timestamp,power.draw [W]\n")
    before = {file: file.read_bytes() for file in Path().iterdir()}
    assert whq(*arguments.split()) == (2, "", f"whq: {option} cannot be {path!r}: {why}.\n")
    assert {file: file.read_bytes() for file in Path().iterdir()} == before


OTHER_RIG = replace(RIG, devices=(replace(RIG.devices[0], name="NVIDIA B200"),))


@pytest.mark.parametrize(
    ("run", "by", "why"),
    [
        (a_run(), "--budgets=whq.toml", "nothing was measured"),
        (a_run(), "--baseline=base.json", "nothing was measured"),
        (a_run(NOTHING), "--baseline=base.json", "nothing was measured"),
        (
            a_run(a_record(), rig=OTHER_RIG),
            "--budgets=whq.toml",
            "no budget in whq.toml applies to what was measured",
        ),
        (
            a_run(a_record(), rig=OTHER_RIG),
            "--baseline=base.json",
            "what was measured is not comparable with base.json",
        ),
    ],
)
def test_check_that_judges_nothing_says_why_and_fails(whq: Whq, run: Run, by: str, why: str) -> None:
    update_baseline(Path("base.json"), [a_run(a_record())])
    Path("whq.toml").write_text('[[budgets]]\nhardware = "NVIDIA H200"\nwh_per_query = 0.05\n')
    write_run(run, "run.json")
    status, out, _ = whq("check", "run.json", by)
    assert (status, f"Nothing was judged: {why}" in out.splitlines()) == (1, True)
    assert f"Nothing was judged: {why}" in whq("check", "run.json", by, "--format", "markdown")[1]


def test_check_of_tests_that_are_all_new_follows_their_policy(whq: Whq) -> None:
    update_baseline(Path("base.json"), [a_run(a_record("other.py::test"))])
    write_run(a_run(a_record()), "run.json")
    status, out, _ = whq("check", "run.json", "--baseline", "base.json")
    assert (status, "Nothing was judged" in out) == (0, False)


def test_help_names_every_command(whq: Whq) -> None:
    status, out, err = whq("--help")
    assert (status, err) == (0, "")
    assert re.findall(r"^    (\w+)", out, re.MULTILINE) == [command.name for command in cli._COMMANDS]


@pytest.mark.parametrize("command", [command.name for command in cli._COMMANDS])
def test_every_command_has_help(whq: Whq, command: str) -> None:
    status, out, err = whq(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: whq {command} [-h]")


def test_the_version_is_that_of_the_package(whq: Whq) -> None:
    assert whq("--version") == (0, "pytest-whq 0.1.0\n", "")


@pytest.mark.untraced
def test_help_imports_nothing_that_takes_time() -> None:
    program = (
        "import sys; from pytest_whq.cli import main; main(['--help'])\n"
        "sys.exit(repr(sorted({'tabulate', 'pynvml', 'pytest', 'json', 'dataclasses'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "[]\n"


def test_an_interrupt_ends_without_a_traceback(whq: Whq, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.show, "load", interrupted)
    assert whq("show") == (130, "", "")


@pytest.mark.untraced
def test_a_reader_that_goes_away_ends_it_without_a_traceback() -> None:
    write_run(a_run(*(a_record(f"test_chat.py::test_{n}") for n in range(5000))), "run.json")
    with subprocess.Popen(
        [*WHQ, "show", "run.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.readline()
        shown.stdout.close()
        assert (shown.stderr.read(), shown.wait()) == (b"", 141)


def test_a_full_disk_is_one_sentence() -> None:
    write_run(a_run(a_record()), "run.json")
    with open("/dev/full", "wb") as full:
        shown = subprocess.run([*WHQ, "show", "run.json"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert shown.stderr == b"whq: The output cannot be written (No space left on device).\n"
    assert shown.returncode == 2


def test_a_terminal_without_unicode_gets_the_figures() -> None:
    write_run(a_run(a_record()), "run.json")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run([*WHQ, "show", "run.json"], capture_output=True, env=environment, check=False)
    assert shown.stdout.splitlines()[1] == b"test_chat.py::test_short   12.3 mWh \\xb1 1.9 %"
    assert (shown.returncode, shown.stderr) == (0, b"")


def test_devices_lists_what_can_be_measured(
    whq: Whq, simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    status, out, err = whq("devices")
    gpu, estimate, default = out.splitlines()
    assert (status, err) == (0, "")
    name = "NVIDIA H100 80GB HBM3, 700 W limit"
    assert gpu.startswith(f"nvml 0     {name}   {simulated_nvml.gpu(0).uuid}   energy counter every ")
    assert estimate.startswith("estimate   ")
    assert default == f"By default pytest measures {name} (nvml)."
