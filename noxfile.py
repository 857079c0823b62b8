"""The whole check: ``nox``. One part of it: ``nox -s tests-3.13``, ``nox -s lint``, ``nox -s example``."""

import sys

import nox

# The Python that runs nox is one of them, so that there is always one to test with.
PYTHONS = sorted({"3.11", "3.12", "3.13", f"{sys.version_info.major}.{sys.version_info.minor}"})

nox.needs_version = ">=2024.4.15"
# Not uv: it fetches a Python that is missing, where a machine's own are what is tested.
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False


def dependencies(group: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), group)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Test the package as a user has it: built and installed."""
    session.install(".", *dependencies("test"))
    # Not python -m pytest, which would find the package in this folder before the installed one.
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and types."""
    session.install(".", *dependencies("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)
    # On its own: its tests have a conftest.py, too.
    with session.chdir("example_project"):
        session.run("mypy", "--config-file", "../pyproject.toml", "chat_service", "tests")


@nox.session
def example(session: nox.Session) -> None:
    """Run the example project as its README says, with its energy budgets enforced."""
    session.install(".", "./example_project[test]")
    with session.chdir("example_project"):
        session.run("pytest", "--whq-budget", *session.posargs)
