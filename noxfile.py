"""The whole check: ``nox``. One part of it: ``nox -s tests-3.13``, ``nox -s lint``, ``nox -s example``."""

import os
import shutil
import sys
from pathlib import Path

import nox

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OLDEST = "3.11"
"""It is tested with the oldest pytest that is promised, as well."""

# So that there is always one to test with, whatever else the machine has.
PYTHONS = sorted({OLDEST, "3.13", THIS_PYTHON})
BETWEEN = "3.12"
"""What its neighbours pass it passes, too: the wheel is used with it."""

REAL_TIME = "tests/accuracy"
"""These tests measure by the real clock: one at a time, and with one Python, since it makes no difference."""

# Many tests wait, for time or for processes of theirs: with a worker a core, cores are idle half of the time.
# And they take from 1 ms to 30 s: given few at a time, no worker is at work alone for minutes at the end.
CORES = os.cpu_count() or 1
PARALLEL = ("-n", str(CORES + 2), "--maxschedchunk", "4")
MOSTLY_WAITING = ("-n", str(2 * CORES + 3), "--maxschedchunk", "2")

nox.needs_version = ">=2024.4.15"
# Not uv: it fetches a Python that is missing, where a machine's own are what is tested.
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False


def dependencies(group: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), group))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Test the package as a user has it: built and installed. Arguments are for pytest."""
    oldest = ("pytest==8.2.*",) if session.python == OLDEST != THIS_PYTHON else ()
    session.install(".", *oldest, *dependencies("test"))
    if session.posargs:
        _test(session, *session.posargs)
        return
    away = f"--ignore={REAL_TIME}"
    if session.python != THIS_PYTHON:
        _test(session, *PARALLEL, away, "-m", "not once")
        return
    # Traced they would take two or three times as long: simulations of minutes, which run the same few lines,
    # and processes, most of whose lines are pytest's. The floor holds without them.
    _test_covered(session, *PARALLEL, away, "-m", "not untraced and not once")
    _test(session, *MOSTLY_WAITING, away, "-m", "untraced or once")
    _test(session, REAL_TIME, *(["--no-skips"] if os.environ.get("WHQ_NO_SKIPS") else []))


def _test(session: nox.Session, *arguments: str) -> None:
    # Without bytecode every process that tests start would rewrite the plugin's asserts anew. And not
    # python -m pytest, which would find the package in this folder before the installed one.
    session.run("pytest", *arguments, env={"PYTHONDONTWRITEBYTECODE": ""})


def _test_covered(session: nox.Session, *arguments: str) -> None:
    """Test, and fail where less of the package runs than pyproject.toml asks for."""
    data = {"COVERAGE_FILE": str(Path(session.virtualenv.location, "coverage"))}
    session.run("coverage", "erase", env=data)
    pytest = str(Path(session.bin, "pytest"))
    session.run("coverage", "run", pytest, *arguments, env={"PYTHONDONTWRITEBYTECODE": "", **data})
    session.run("coverage", "combine", "--quiet", env=data)
    session.run("coverage", "report", env=data)


@nox.session(python="3.11")
def engines(session: nox.Session) -> None:
    """Test with the packages of every client and with real engines, whose weights are random: some 2 GB."""
    settings = Path("tests/engines/llama_cpp.cmake").absolute()
    quick = {"CMAKE_ARGS": f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={settings}"}
    session.install(".", *dependencies("engines"), env=quick | {"CMAKE_BUILD_PARALLEL_LEVEL": str(CORES)})
    _test(session, "-n", "auto", "--no-skips", *(session.posargs or ("tests/engines", "tests/tokens")))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, types and shell scripts, and that every page of the site can be built."""
    session.install(".", *dependencies("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("shellcheck", ".ci/run", *map(str, sorted(Path(".github/scripts").iterdir())))
    session.run("towncrier", "build", "--draft", silent=True)
    # Its theme tells of its successor at every build.
    site = str(Path(session.create_tmp(), "site"))
    session.run("mkdocs", "build", "--quiet", "--site-dir", site, env={"NO_MKDOCS_2_WARNING": "1"})
    # On its own: its tests have a conftest.py, too.
    with session.chdir("example_project"):
        session.run("mypy", "--config-file", "../pyproject.toml", "chat_service", "tests")


@nox.session(python=THIS_PYTHON, default=False)
def fuzz(session: nox.Session) -> None:
    """Let Atheris look for documents that end in a traceback, for a minute. Arguments are libFuzzer's."""
    session.install(".", *dependencies("fuzz"))
    options = session.posargs or ["-max_total_time=60", "-timeout=20", "-rss_limit_mb=2048"]
    session.run("python", "tests/fuzzing/fuzz.py", *options)


@nox.session
def example(session: nox.Session) -> None:
    """Run the example project as its README says, with its energy budgets enforced."""
    session.install(".", "./example_project[test]")
    with session.chdir("example_project"):
        session.run("pytest", "--whq-budget", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Serve the site, and build it anew when a page changes. Arguments are for mkdocs serve."""
    session.install("-e", ".", *dependencies("docs"))
    session.run("mkdocs", "serve", *session.posargs)


TINY_TEST = """
import pytest


@pytest.mark.whq(rounds=1)
@pytest.mark.whq_budget(wh_per_query=1, estimate=True)
def test_tiny(whq):
    assert whq(sum, [1, 2]) == 3
"""


@nox.session(python=BETWEEN)
def build(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, and use the wheel where nothing else is. Argument: a tag."""
    session.install(*dependencies("build"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    session.run("python", ".ci/check_release.py", *session.posargs)
    (wheel,) = Path("dist").absolute().glob("*.whl")
    folder = Path(session.create_tmp()).absolute()
    session.run("python", "-m", "venv", "--clear", str(folder / "empty"))
    programs = folder / "empty" / "bin"
    (folder / "test_tiny.py").write_text(TINY_TEST, "utf-8")
    (folder / "pytest.ini").touch()  # Or pytest takes the settings of the project around it.
    with session.chdir(folder):
        for program, *arguments in (
            ("pip", "install", "-q", str(wheel)),
            ("whq", "--version"),
            ("whq", "devices"),
            ("pytest", "--whq-budget", "--whq-source", "estimate", "test_tiny.py"),
        ):
            session.run(str(programs / program), *arguments, external=True)
