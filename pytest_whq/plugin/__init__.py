"""The pytest plugin: what every session pays for, which is these hooks and the option table.

All else lives in `session` and what that imports, and starts with the first measured test.
"""

from typing import TYPE_CHECKING, Any

import pytest

from pytest_whq.plugin.options import add_options, any_given

if TYPE_CHECKING:
    from pytest_whq.plugin.fixture import Whq
    from pytest_whq.plugin.session import WhqSession

_SESSION_NAME = "whq-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and ini settings."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks that this plugin calls."""
    from pytest_whq.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; refuse at once what the command line says wrong."""
    config.addinivalue_line(
        "markers",
        "whq(rounds, warmup, min_seconds, max_seconds, precision): how to measure this test's energy; "
        "without the whq fixture the whole test is one query.",
    )
    config.addinivalue_line(
        "markers",
        "whq_budget(METRIC=LIMIT, ..., hardware, estimate, max_regression): the energy it may use.",
    )
    config.pluginmanager.register(_Reports(config), "whq-reports")
    if any_given(config):
        start_session(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start measuring only where a test asks for it."""
    if any(is_measured(item) for item in items):
        try:
            start_session(config).select(items)
        except pytest.UsageError as error:
            if not hasattr(config, "workerinput"):
                raise
            report = pytest.CollectReport("pytest-whq", "failed", str(error), [])
            config.hook.pytest_collectreport(report=report)
            items.clear()


class _Reports:
    """Takes the records that test reports carry, from this process or from xdist workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "whq_record"):
            start_session(self._config).take(report)


@pytest.fixture
def whq(request: pytest.FixtureRequest) -> "Whq":
    """Measures the energy of the calls that pass through it; see the README of pytest-whq."""
    return start_session(request.config).fixture(request.node)


def is_measured(item: pytest.Item) -> bool:
    """Whether a test asks to be measured, by fixture or marker."""
    return "whq" in getattr(item, "fixturenames", ()) or any(
        mark.name in ("whq", "whq_budget") for mark in item.iter_markers()
    )


def start_session(config: pytest.Config) -> "WhqSession":
    """The session of measuring, started if it is not yet."""
    session: Any = config.pluginmanager.get_plugin(_SESSION_NAME)
    if session is None:
        from pytest_whq.plugin.session import open_session

        session = open_session(config)
        config.pluginmanager.register(session, _SESSION_NAME)
    return session  # type: ignore[no-any-return]
