"""The pytest plugin: what every session pays for, which is these hooks and the option table.

All else lives in `session` and what that imports, and starts with the first measured test.
"""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_whq.plugin.items import is_measured, is_worker
from pytest_whq.plugin.options import add_options, wanted_from_the_start

if TYPE_CHECKING:
    from pytest_whq.calling.whq import Whq
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
        "whq(rounds, warmup, min_seconds, max_seconds, precision, idle_ok, max_cached): "
        "how to measure this test's energy; without the whq fixture the whole test is one query.",
    )
    config.addinivalue_line(
        "markers",
        "whq_budget(METRIC=LIMIT, ..., hardware, estimate, max_regression, max_failed): "
        "the energy it may use.",
    )
    config.pluginmanager.register(_Always(config), "whq-always")
    if wanted_from_the_start(config):
        start_session(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start measuring only where a test asks for it."""
    if _started(config) is None and not any(is_measured(item) for item in items):
        return
    try:
        start_session(config).select(items)
    except pytest.UsageError as error:
        if not is_worker(config):
            raise
        # A worker that breaks off takes the controller with it, in a traceback; an error of
        # collection reaches the user as a sentence, once for all workers.
        report = pytest.CollectReport("pytest-whq", "failed", str(error), [])
        config.hook.pytest_collectreport(report=report)
        items.clear()


class _Always:
    """Hooks that must be there before it is known whether anything is measured."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the record that a report carries, or its lack, from here or from an xdist worker."""
        if hasattr(report, "whq_record") or hasattr(report, "whq_absent"):
            start_session(self._config).take(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Let a worker of pytest-xdist tell what it measures, on a terminal also how far it is."""
        from pytest_whq.plugin.crashed import crashed_tests

        crashed_tests(self._config).hear(node)
        if not sys.stdout.isatty():
            return
        from pytest_whq.plugin.worker_lines import hear_worker

        hear_worker(self._config, node)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Make the record of a test that is the first to ask for the fixture, and does so while it runs."""
        if _started(self._config) is not None:
            return (yield)  # The session does it.
        try:
            result = yield
        except BaseException:
            if (session := _started(self._config)) is not None:
                session.keep_record(item)
            raise
        if (session := _started(self._config)) is not None:
            session.judge(item)
        return result


@pytest.fixture
def whq(request: pytest.FixtureRequest) -> "Whq":
    """Measures the energy of the calls that pass through it; see the README of pytest-whq."""
    return start_session(request.config).fixture(request.node)


def start_session(config: pytest.Config) -> "WhqSession":
    """The session of measuring, started if it is not yet; UsageError where its settings are wrong."""
    session = _started(config)
    if session is None:
        from pytest_whq.plugin.session import open_session

        session = open_session(config)
        config.pluginmanager.register(session, _SESSION_NAME)
    return session


def _started(config: pytest.Config) -> "WhqSession | None":
    session: Any = config.pluginmanager.get_plugin(_SESSION_NAME)
    return session  # type: ignore[no-any-return]
