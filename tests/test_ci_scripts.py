"""The shell parts of the composite action, run as it runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / ".github" / "scripts"
MARKER = "<!-- pytest-whq report -->"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the action runs in bash")


def run(name: str, folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", str(SCRIPTS / name), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def gh(tmp_path: Path) -> Path:
    """A ``gh`` that notes its arguments, and answers a listing with what the file ``listing`` holds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "gh"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/calls\n'
        f'case "$*" in *--paginate*) cat {tmp_path}/listing;; esac\n'
    )
    script.chmod(0o755)
    return folder


def comment(folder: Path, gh: Path, listing: str) -> list[str]:
    (folder / "report.md").write_text(f"{MARKER}\n### Energy\n")
    (folder / "listing").write_text(listing)
    done = run(
        "comment",
        folder,
        "report.md",
        PATH=f"{gh}{os.pathsep}{os.environ['PATH']}",
        GITHUB_REPOSITORY="owner/project",
        PR_NUMBER="7",
    )
    assert done.returncode == 0, done.stderr
    return (folder / "calls").read_text().splitlines()[1:]


def test_the_first_report_is_a_new_comment(tmp_path: Path, gh: Path) -> None:
    assert comment(tmp_path, gh, "11\tanother bot\n") == [
        "api --silent --method POST repos/owner/project/issues/7/comments --field body=@report.md"
    ]


def test_a_later_report_updates_that_comment(tmp_path: Path, gh: Path) -> None:
    assert comment(tmp_path, gh, f"11\tanother bot\n12\t{MARKER}\n13\t{MARKER}\n") == [
        "api --silent --method PATCH repos/owner/project/issues/comments/12 --field body=@report.md"
    ]


def test_a_file_without_the_marker_is_never_posted(tmp_path: Path, gh: Path) -> None:
    (tmp_path / "report.md").write_text("# not ours\n")
    done = run("comment", tmp_path, "report.md", GITHUB_REPOSITORY="owner/project", PR_NUMBER="7")
    assert (done.returncode, done.stderr) == (
        1,
        "report.md is not a report of pytest-whq: it has no marker.\n",
    )


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python that notes pytest's arguments and writes the report files; its exit code is in ``code``."""
    script = tmp_path / "python"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then exec {sys.executable} "$@"; fi\n'
        f'for a; do printf "%s\\n" "$a" >> {tmp_path}/calls; done\n'
        f"echo report > whq-report/report.md\necho baseline > baseline.json\nexit $(cat {tmp_path}/code)\n"
    )
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("code", "update", "outputs"),
    [
        (0, "true", ["reports=true", "updated=true"]),
        (1, "false", ["reports=true"]),
    ],
)
def test_measuring_ends_as_pytest_does_and_tells_later_steps(
    tmp_path: Path, python: Path, code: int, update: str, outputs: list[str]
) -> None:
    (tmp_path / "code").write_text(str(code))
    done = run(
        "measure",
        tmp_path,
        WHQ_PYTHON=str(python),
        WHQ_PYTEST_ARGS="tests -k 'short or long' $(touch ran)",
        WHQ_BASELINE="baseline.json",
        WHQ_UPDATE=update,
        GITHUB_OUTPUT=str(tmp_path / "output"),
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text().splitlines() == outputs
    assert (tmp_path / "calls").read_text().splitlines() == [
        *("-m", "pytest", "tests", "-k", "short or long", "$(touch", "ran)"),
        *("--whq-budget", "--whq-baseline", "baseline.json"),
        *("--whq-json", "whq-report/run.json"),
        *("--whq-markdown", "whq-report/report.md", "--whq-html", "whq-report/report.html"),
        *(["--whq-update-baseline"] if update == "true" else []),
    ]
    assert not (tmp_path / "ran").exists()
