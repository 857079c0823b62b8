"""The shell parts of the composite action, run as it runs them."""

import os
import re
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


def test_our_comment_is_found_before_more_than_a_pipe_holds(tmp_path: Path, gh: Path) -> None:
    assert comment(tmp_path, gh, f"12\t{MARKER}\n" + "13\tanother bot\n" * 100_000) == [
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
    """A Python that notes pytest's arguments; then it does what is in ``does``."""
    script = tmp_path / "python"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then exec {sys.executable} "$@"; fi\n'
        f'for a; do printf "%s\\n" "$a" >> {tmp_path}/calls; done\n'
        f'for a; do case "$a" in */report.md) report=$a;; esac; done\n. {tmp_path}/does\n'
    )
    script.chmod(0o755)
    return script


REPORTS = "echo report > $report; "
ACCEPTS = "echo baseline > baseline.json; "


def measure(
    folder: Path, python: Path, does: str, update: str = "true", arguments: str = "tests", name: str = ""
) -> tuple["subprocess.CompletedProcess[str]", dict[str, str]]:
    """What became of ``measure``, and its outputs; reports go to a folder within ``folder``."""
    (folder / "does").write_text(does)
    (folder / "output").write_text("")
    done = run(
        "measure",
        folder,
        WHQ_PYTHON=str(python),
        WHQ_PYTEST_ARGS=arguments,
        WHQ_MODE="baseline",
        WHQ_NAME=name,
        WHQ_BASELINE="baseline.json",
        WHQ_UPDATE=update,
        RUNNER_TEMP=str(folder),
        GITHUB_OUTPUT=str(folder / "output"),
    )
    lines = (folder / "output").read_text().splitlines()
    return done, dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(
    ("code", "update", "outputs"),
    [
        (0, "true", {"reports": "true", "updated": "true"}),
        (1, "false", {"reports": "true"}),
    ],
)
def test_measuring_ends_as_pytest_does_and_tells_later_steps(
    tmp_path: Path, python: Path, code: int, update: str, outputs: dict[str, str]
) -> None:
    done, told = measure(
        tmp_path,
        python,
        f"{REPORTS}{ACCEPTS}exit {code}",
        update,
        "tests -k 'short or long' $(touch ran) '$HOME \\\\'",
        "h100",
    )
    assert done.returncode == code, done.stderr
    folder = told.pop("folder")
    assert Path(folder).parent == tmp_path
    assert told == outputs
    assert (tmp_path / "calls").read_text().splitlines() == [
        *("-m", "pytest", "tests", "-k", "short or long", "$(touch", "ran)", "$HOME \\\\"),
        *("--whq-budget", "--whq-baseline", "baseline.json"),
        *("--whq-json", f"{folder}/run.json"),
        *("--whq-markdown", f"{folder}/report.md", "--whq-html", f"{folder}/report.html"),
        # In one word: a name may begin with a dash.
        "--whq-name=h100",
        *(["--whq-update-baseline"] if update == "true" else []),
    ]
    assert not (tmp_path / "ran").exists()


def test_a_quote_that_is_not_closed_ends_it_before_pytest_runs(tmp_path: Path, python: Path) -> None:
    done, told = measure(tmp_path, python, REPORTS, arguments="tests -k 'short")
    assert (done.returncode, told) == (2, {})
    assert done.stderr == (
        "pytest-args cannot be split into arguments (No closing quotation): see to its quotes.\n"
    )
    assert not (tmp_path / "calls").exists()


def test_what_lay_there_before_is_neither_a_report_nor_a_new_baseline(tmp_path: Path, python: Path) -> None:
    (tmp_path / "whq-report").mkdir()
    (tmp_path / "whq-report" / "report.md").write_text(f"{MARKER}\nforged\n")
    (tmp_path / "baseline.json").write_text("committed")
    done, told = measure(tmp_path, python, "exit 2")
    assert done.returncode == 2
    assert told.keys() == {"folder"}


def test_a_baseline_is_new_by_what_it_holds_whatever_its_time(tmp_path: Path, python: Path) -> None:
    (tmp_path / "baseline.json").write_text("committed")
    does = f"{ACCEPTS}touch -d 2000-01-01 baseline.json"
    assert measure(tmp_path, python, does)[1].get("updated") == "true"
    assert "updated" not in measure(tmp_path, python, f"{does}; touch baseline.json")[1]


REPOSITORY = Path(__file__).parents[1]
WORKFLOWS = [
    REPOSITORY / "action.yml",
    REPOSITORY / "docs/ci.md",
    *REPOSITORY.glob(".github/workflows/*.yml"),
    *REPOSITORY.glob("example_project/.github/workflows/*.yml"),
]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_of_others_is_pinned_by_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    foreign = [action for action in used if not action.startswith(("./", "OWNER/"))]
    assert foreign
    assert [action for action in foreign if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", action)] == []


@pytest.mark.parametrize(
    "path", [path for path in WORKFLOWS if path.parent.name == "workflows"], ids=lambda path: path.name
)
def test_a_workflow_has_only_the_permissions_that_it_needs(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "\npermissions:\n  contents: read\n\n" in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
