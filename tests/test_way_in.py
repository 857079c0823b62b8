"""What makes the command easy to come to: ``python -m``, hints at slips, completion, the age of a session."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from reference_pages import commands_of
from samples import a_record, a_run

from pytest_whq.cli import main, parser
from pytest_whq.cli.console import JOURNAL_FOLDER
from pytest_whq.model import Commit
from pytest_whq.storing.journal import Journal
from pytest_whq.storing.runfile import write_run


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "pytest_whq", "shwo"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("whq: There is no command 'shwo' (did you mean show?): there are devices, ")


def test_the_help_of_each_command_fits_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in [[], *([name] for name, _ in commands_of(parser()))]:
        assert main([*command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "usage: whq completion [-h] SHELL" in lines
    assert [line for line in lines if len(line) > 80] == []


def test_a_shell_gets_a_script_that_knows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "--whq" not in script
    assert all(word in script for word in ("history", "--html", "github-benchmark"))
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_without_the_package_a_sentence_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert 'Install it: pip install "pytest-whq[completion]".' in capsys.readouterr().err


def test_the_folder_of_a_report_is_made() -> None:
    write_run(a_run(a_record()), "run.json")
    write_run(a_run(a_record()), "base.json")
    reports = ["--json", "new/folder/x.json", "--markdown", "new/other/x.md"]
    main(["compare", "base.json", *reports, "--", "run.json"])
    assert Path("new/folder/x.json").is_file()
    assert Path("new/other/x.md").is_file()


def show_of(created: datetime, commit: Commit | None, capsys: pytest.CaptureFixture[str]) -> str:
    """What ``whq show`` says beside the table of a session of then."""
    run = replace(a_run(), created=created.strftime("%Y-%m-%dT%H:%M:%SZ"), commit=commit)
    journal = Journal.start(JOURNAL_FOLDER, run)
    journal.add(a_record())
    journal.finish()
    assert main(["show"]) == 0
    return capsys.readouterr().err


def test_an_older_session_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    assert show_of(now, None, capsys) == ""
    assert (
        show_of(now - timedelta(hours=13), None, capsys)
        == "whq: The last session that measured was 13 hours ago.\n"
    )
    assert (
        show_of(now - timedelta(days=3), None, capsys)
        == "whq: The last session that measured was 3 days ago.\n"
    )


def test_a_session_of_another_commit_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1", "--allow-empty"],
    ):
        subprocess.run(["git", *arguments], check=True)
    here = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    now = datetime.now(UTC)
    assert show_of(now, Commit(here, "main", dirty=True), capsys) == ""
    assert show_of(now, Commit("c0ffee" * 7, "main", dirty=False), capsys) == (
        "whq: The last session measured commit c0ffeec0ff, less than an hour ago; "
        f"the working tree is at {here[:10]}.\n"
    )
