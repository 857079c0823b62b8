"""The pages of the site hold: those that the code writes, and the tutorial, whose every command runs."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from measured_project import MeasuredProject
from readme_project import ROOT
from reference_pages import commands_page, settings_page
from samples import a_record, a_run

import pytest_whq
from pytest_whq.cli import main, parser
from pytest_whq.model.history import kept_of
from pytest_whq.plugin.options import OPTIONS
from pytest_whq.storing.history_file import write_history
from pytest_whq.storing.runfile import write_run

DOCS = ROOT / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text("utf-8")
RUN = a_run(a_record())
QUICK = "-p no:cacheprovider --whq-source estimate --whq-min-seconds 0.5 --whq-rounds 4"


@pytest.mark.parametrize(("name", "page"), [("settings", settings_page()), ("commands", commands_page())])
def test_a_page_that_the_code_writes_is_as_it_writes_it_today(name: str, page: str) -> None:
    path = DOCS / f"{name}.md"
    if os.environ.get("WHQ_DOCS") == "write":
        path.write_text(page, "utf-8")
    assert path.read_text("utf-8") == page, "run WHQ_DOCS=write pytest tests/test_docs.py"


def test_every_public_name_is_in_the_reference() -> None:
    names = re.findall(
        r"^::: pytest_whq\.([\w.]+)$", (DOCS / "reference.md").read_text("utf-8"), re.MULTILINE
    )
    assert {name.rpartition(".")[2] for name in names} >= set(pytest_whq.__all__)


def test_every_page_is_in_the_contents_of_the_site() -> None:
    contents = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert contents - {"index.md"} == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def commands_on(page: Path) -> Iterator[list[str]]:
    """The words of each command that a page gives in a console, with what goes on in the next line."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for console in re.findall(r"^ *```console\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^ *\$ (.*)$", console, re.MULTILINE):
            yield shlex.split(line.split(" > ")[0].split(" && ")[-1], comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_on_a_page_is_there(page: Path) -> None:
    for program, *arguments in commands_on(page):
        if program == "whq":
            parser().parse_args(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    named = set(re.findall(r"--whq-[a-z]+(?:-[a-z]+)*", page.read_text("utf-8")))
    assert named <= {option for option, *_ in OPTIONS}


def test_the_commands_of_pages_are_found() -> None:
    found = [words[0].rpartition("/")[2] for page in PAGES for words in commands_on(page)]
    assert found.count("whq") >= 20
    assert found.count("pytest") >= 10


ON_FILES = [
    pytest.param(arguments, id=f"{page.stem}: {' '.join(arguments)}")
    for page in PAGES
    for program, *arguments in commands_on(page)
    if page.stem in ("history", "reports") and program == "whq"
]
"""The pages on imports, footprints, production and the tutorial have tests of their own."""


@pytest.mark.parametrize("arguments", ON_FILES)
def test_a_command_on_files_runs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("run", "whq", "h100", "b200", "mi355x"):
        write_run(RUN, tmp_path / f"{name}.json")
    write_history(kept_of(RUN), tmp_path / ".whq/history")
    assert main(arguments) == 0
    assert all(Path(word).stat().st_size > 0 for word in arguments if word.endswith(".html"))
    assert capsys.readouterr().out


WITHOUT_SERVERS = [
    pytest.param(arguments, id=f"{page.stem}: {' '.join(arguments)}")
    for page in PAGES
    for program, *arguments in commands_on(page)
    if page.stem in ("benchmarks", "history", "regressions", "reports") and program == "pytest"
]
"""Those of the page on clusters have tests with servers."""


@pytest.mark.parametrize("arguments", WITHOUT_SERVERS)
def test_a_command_of_pytest_runs(arguments: list[str], project: MeasuredProject) -> None:
    (project.path / "tests").mkdir()
    test = "def test_chat(whq, client):\n    whq(client.chat, 'x')\n"
    (project.path / "tests/energy.py").write_text(test)
    project.tests(test)
    words = [f"{word}.py" if word == "tests/energy" else word for word in arguments]
    project.run(*words).assert_outcomes(passed=1)
    assert len(project.records) == 1


def steps(page: str) -> Iterator[tuple[str, str]]:
    """The files that a page writes and the commands that it gives, in its order."""
    for title, text, console in re.findall(
        r'^```(?:\w+ title="([^"]+)"\n(.*?)|console\n(.*?))^```$', page, re.MULTILINE | re.DOTALL
    ):
        if title:
            yield title, text
        yield from (("$", line) for line in re.findall(r"^\$ (.*)$", console, re.MULTILINE))


@pytest.mark.once
@pytest.mark.untraced
def test_the_tutorial_ends_in_a_test_that_fails(tmp_path: Path) -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A"}
    quick = {"PYTEST_ADDOPTS": f"{os.environ['PYTEST_ADDOPTS']} {QUICK}"}
    env = {**os.environ, **quick, **author, "GIT_COMMITTER_EMAIL": "a@b", "PATH": programs}
    said: dict[str, str] = {}
    for target, text in steps(TUTORIAL):
        if target != "$":
            (tmp_path / target).write_text(text, "utf-8")
        elif "pip install" not in text:
            command, _, comment = text.replace(".venv/bin/", "").partition("  # ")
            command = command.removeprefix("mkdir watts && cd watts && ")
            done = subprocess.run(
                ["bash", "-euc", command], cwd=tmp_path, env=env, capture_output=True, text=True
            )
            assert done.returncode == (comment == "fails"), f"{command}\n{done.stdout}{done.stderr}"
            said[text] = done.stdout
    first, within, accepted, failed = (out for command, out in said.items() if "pytest" in command)
    assert "µWh" in first
    assert "% of 10.0 mWh" in within
    assert "Accepted 1 test into whq-baseline.json." in accepted
    assert "more than the 5.0 % allowed" in failed
