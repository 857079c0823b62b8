"""A session in which tests are measured: what happens around each test and at the end."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from pytest_whq.errors import SettingError, WhqError
from pytest_whq.judging.budget_file import parse_budgets
from pytest_whq.judging.budgets import Budget, failing_sentence, judge_budgets
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.model import Measurement, Reason, Record, TokenCount
from pytest_whq.plugin import is_measured
from pytest_whq.plugin.collected import CollectedRecords
from pytest_whq.plugin.fixture import Whq
from pytest_whq.plugin.instruments import SessionInstruments
from pytest_whq.plugin.progress import clear_progress
from pytest_whq.plugin.settings import Settings, marker_budgets, plan_for
from pytest_whq.storing.records import record_as_dict, rig_as_dict

_LEDGER = pytest.StashKey[Ledger]()
_RECORD = pytest.StashKey[Record]()


def open_session(config: pytest.Config) -> "WhqSession":
    """Read settings and budgets; UsageError where they cannot be used."""
    try:
        return WhqSession(config, Settings.of_session(config))
    except WhqError as error:
        raise pytest.UsageError(str(error)) from error


class WhqSession:
    """Measures, judges and reports; one for each pytest session that needs it, xdist workers included."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._file_budgets = _file_budgets(config)
        self._instruments = SessionInstruments(config, settings)
        self._collected = CollectedRecords(config, settings)
        self._is_worker = hasattr(config, "workerinput")

    def select(self, items: list[pytest.Item]) -> None:
        """Refuse markers that cannot be used, then leave out what --whq-only or --whq-skip says."""
        measured = [item for item in items if is_measured(item)]
        try:
            for item in measured:
                plan_for(item, self._settings.plan)
                marker_budgets(item)
        except SettingError as error:
            raise pytest.UsageError(str(error)) from error
        if self._settings.only == self._settings.skip:
            return
        kept = [item for item in items if is_measured(item) == self._settings.only]
        left_out = [item for item in items if is_measured(item) != self._settings.only]
        if left_out:
            self._config.hook.pytest_deselected(items=left_out)
            items[:] = kept

    def fixture(self, item: pytest.Item) -> Whq:
        """The ``whq`` of a test."""
        if self._settings.disable:
            return Whq(None)
        item.stash[_LEDGER] = self._ledger(item)
        return Whq(item.stash[_LEDGER])

    def take(self, report: pytest.TestReport) -> None:
        """Take the record that a test report carries; an xdist worker's is on its way to the controller."""
        if not self._is_worker:
            self._collected.take(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure a test that has only a marker; make the record, and fail the test where a budget does."""
        ledger = item.stash.get(_LEDGER, None)
        alone = ledger is None and is_measured(item) and not self._settings.disable
        try:
            if alone:
                ledger = self._ledger(item)
                result = yield from _as_one_query(ledger)
            else:
                result = yield
        except BaseException:
            if ledger is not None and ledger.has_measured:
                self._make_record(item, ledger)
            raise
        finally:
            clear_progress(self._config)
        if ledger is not None:
            record = self._make_record(item, ledger)
            if sentences := self._failures(record):
                pytest.fail("\n".join(sentences), pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry the record, so that it reaches the process that reports."""
        report = yield
        record = item.stash.get(_RECORD, None)
        if call.when == "call" and record is not None:
            del item.stash[_RECORD]
            carrier: Any = report
            carrier.whq_record = record_as_dict(replace(record, outcome=_outcome(report)))
            carrier.whq_rig = rig_as_dict(self._instruments.rig())
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report files and give the power source back."""
        if not self._is_worker:
            self._collected.finish(session, self._instruments.rig())
        self._instruments.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what was measured."""
        self._collected.summarise(terminalreporter, self._instruments.fell_back)

    def _ledger(self, item: pytest.Item) -> Ledger:
        return Ledger(self._instruments, plan_for(item, self._settings.plan))

    def _make_record(self, item: pytest.Item, ledger: Ledger) -> Record:
        measurement = ledger.measurement if ledger.has_measured else _NOTHING
        budgets = judge_budgets(
            item.nodeid,
            measurement,
            self._instruments.rig().devices,
            marker=marker_budgets(item),
            file=self._file_budgets,
            caps=self._settings.caps,
            estimate=self._settings.estimate,
        )
        record = Record(item.nodeid, "passed", measurement, budgets)
        item.stash[_RECORD] = record
        return record

    def _failures(self, record: Record) -> list[str]:
        if not self._settings.enforce:
            return []
        rig = self._instruments.rig()
        return [
            failing_sentence(verdict, record.measurement, rig.devices, rig.source)
            for verdict in record.budgets
            if verdict.fails
        ]


_NOTHING = Measurement(
    method=None,
    energy_j=None,
    net_energy_j=None,
    uncertainty_j=None,
    duration_s=0.0,
    queries=0,
    failed_queries=0,
    tokens=TokenCount(),
    devices=(),
    rounds=(),
    reasons=(Reason("no_queries", "the test has the whq fixture and measured nothing with it"),),
)


def _as_one_query(ledger: Ledger) -> Generator[None, Any, Any]:
    """Let the test run in a window, as its one query."""
    with Whq(ledger).measure() as window:
        try:
            result = yield
        except Exception:
            window.record(ok=False)
            raise
        window.record()
    return result


def _outcome(report: pytest.TestReport) -> str:
    if not hasattr(report, "wasxfail"):
        return report.outcome
    return "xpassed" if report.passed else "xfailed"


def _file_budgets(config: pytest.Config) -> tuple[Budget, ...]:
    """The budgets of the rootdir's ``pyproject.toml`` and ``whq.toml``, in this order."""
    budgets: list[Budget] = []
    for name in ("pyproject.toml", "whq.toml"):
        path = config.rootpath / name
        if path.is_file():
            entries = parse_budgets(path.read_text("utf-8"), name)
            budgets += [budget for entry in entries for budget in entry.budgets]
    return tuple(budgets)
