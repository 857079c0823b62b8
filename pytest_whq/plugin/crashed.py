"""Tests in which their process ended: of these pytest-xdist and pytest-forked report, and pytest does not."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest

from pytest_whq.plugin.items import is_worker

_NAME = "whq-crashed-tests"
_CHANNEL = "whq_measured_tests"
_PHASES = ("setup", "call", "teardown")


class CrashedTests:
    """Marks the reports of those that were to be measured, so that they are taken for what they are.

    The controller of workers knows only the names of tests: each worker tells which it measures before it
    runs any.
    """

    def __init__(self) -> None:
        self._measured: set[str] = set()

    def expect(self, tests: Iterable[str]) -> None:
        """These are going to be measured."""
        self._measured.update(tests)

    def hear(self, node: Any) -> None:
        """Let the worker that ``node`` is about to start tell what it is going to measure."""
        channel = node.gateway.newchannel()
        channel.setcallback(self.expect)
        node.workerinput[_CHANNEL] = channel

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mark the report of a crash, which is of no phase of a test."""
        if report.when not in _PHASES and report.failed and report.nodeid in self._measured:
            carrier: Any = report
            carrier.whq_absent = "crashed"


def crashed_tests(config: pytest.Config) -> CrashedTests:
    """The one of this session."""
    found: Any = config.pluginmanager.get_plugin(_NAME)
    if found is None:
        found = CrashedTests()
        config.pluginmanager.register(found, _NAME)
    return found  # type: ignore[no-any-return]


def expect_measured(config: pytest.Config, tests: list[str]) -> None:
    """Let who reports know that ``tests`` are going to be measured: this process, or the controller."""
    if not is_worker(config):
        crashed_tests(config).expect(tests)
    elif (channel := vars(config)["workerinput"].get(_CHANNEL)) is not None:
        # A controller that has gone ends this process by itself.
        with suppress(OSError):
            channel.send(tests)
