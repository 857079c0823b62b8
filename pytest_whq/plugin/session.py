"""A session in which tests are measured: what happens around each test and at the end."""

import functools
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from pytest_whq.calling.whq import Whq
from pytest_whq.errors import SettingError, WhqError
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.model import Record
from pytest_whq.plugin.baseline import SessionBaseline
from pytest_whq.plugin.benchmark import MeasuredBenchmarks
from pytest_whq.plugin.collected import CollectedRecords
from pytest_whq.plugin.crashed import expect_measured
from pytest_whq.plugin.fixture import whq_of_test
from pytest_whq.plugin.gaps import CARRIED, SessionGaps
from pytest_whq.plugin.instruments import SessionInstruments
from pytest_whq.plugin.items import is_benchmarked, is_marked, is_measured, is_worker
from pytest_whq.plugin.judged_records import JudgedRecords
from pytest_whq.plugin.reports import add_properties, has_queries, outcome_of, place_at_test
from pytest_whq.plugin.settings import Settings, marker_entries, plan_for
from pytest_whq.plugin.whole_test import as_one_query, kept_error
from pytest_whq.rendering.words import printable
from pytest_whq.storing.records import record_as_dict, rig_as_dict

_LEDGER = pytest.StashKey[Ledger]()
_RECORD = pytest.StashKey[Record]()
_FAILED = pytest.StashKey[bool]()


def open_session(config: pytest.Config) -> "WhqSession":
    """Read settings and budgets; UsageError where they cannot be used."""
    try:
        return WhqSession(config, Settings.of_session(config))
    except WhqError as error:
        raise pytest.UsageError(printable(str(error))) from error


class WhqSession:
    """Measures, judges and reports; one for each pytest session that needs it, xdist workers included."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._instruments = SessionInstruments(config, settings)
        self._baseline = SessionBaseline(settings)
        self._records = JudgedRecords(settings, self._instruments, self._baseline)
        self._gaps = SessionGaps(config, settings, self._baseline)
        self._collected = CollectedRecords(config, settings, self._baseline, self._gaps)
        self._failed_part: str | None = None
        if settings.benchmark and not settings.disable:
            config.pluginmanager.register(MeasuredBenchmarks(self._ledger_of), "whq-benchmarks")

    def select(self, items: list[pytest.Item]) -> None:
        """Refuse what cannot be used, then leave out what --whq-only or --whq-skip says.

        UsageError for a marker, for a baseline or a tokenizer that cannot be read, or for a source that no
        plugin offers: all conftest files are known now.
        """
        try:
            self._instruments.check()
            for item in filter(is_measured, items):
                plan_for(item, self._settings.plan)
                marker_entries(item)
            if any(map(is_measured, items)) and not self._settings.disable:
                _ = self._baseline.baseline, self._instruments.reader
        except WhqError as error:
            raise pytest.UsageError(printable(str(error))) from error
        self._baseline.expect(sum(map(is_measured, items)))
        self._gaps.selection.note_collected(items)
        if not (self._settings.only or self._settings.skip):
            return
        left_out = [item for item in items if is_measured(item) != self._settings.only]
        if left_out:
            self._config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if is_measured(item) == self._settings.only]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell who reports what is going to be measured, by the names that xdist may have changed."""
        expect_measured(self._config, [item.nodeid for item in session.items if is_measured(item)])

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note what is not going to run."""
        self._gaps.selection.note_left_out(items)

    def fixture(self, item: pytest.Item) -> Whq:
        """The ``whq`` of a test."""
        try:
            return whq_of_test(None if self._settings.disable else self._open_ledger(item))
        except SettingError as error:  # Of a marker that was set while tests ran.
            pytest.fail(printable(str(error)), pytrace=False)

    def take(self, report: pytest.TestReport) -> None:
        """Take the record that a report carries, or its lack; an xdist worker's goes to the controller."""
        if is_worker(self._config):
            return
        if hasattr(report, CARRIED):
            self._gaps.note_absent(report)
        else:
            self._collected.take(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure a test that has only a marker; make the record, and fail the test where a budget does."""
        self._failed_part = None
        try:
            # By its marker, because a fixture of that name may be the user's own.
            marked = is_marked(item) and not is_benchmarked(item)
            if marked and _LEDGER not in item.stash and not self._settings.disable:
                ledger = self._open_ledger(item)
                result = yield from as_one_query(ledger, lambda: self._error(item))
            else:
                result = yield
        except BaseException as error:
            self.keep_record(item)
            if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
                self._report_interrupted(item)
            raise
        finally:
            self._instruments.live_line.show("")
        self.judge(item)
        return result

    def keep_record(self, item: pytest.Item) -> None:
        """Make the record of a test that has raised, where it has measured something before."""
        ledger = _taken(item, _LEDGER)
        if ledger is not None and ledger.has_measured:
            with suppress(SettingError):  # The test's own error is the one to tell.
                item.stash[_RECORD] = self._records.made(item, ledger.measurement)

    def judge(self, item: pytest.Item) -> None:
        """Make the record of a test that has run to its end, and fail the test where a budget does."""
        if self._error(item) is not None:
            self.keep_record(item)
        elif (ledger := _taken(item, _LEDGER)) is not None:
            try:
                measured = ledger.measurement if ledger.has_measured else None
                item.stash[_RECORD] = record = self._records.made(item, measured)
                item.stash[_RECORD] = record = self._records.compared(item, record, ledger.attempts)
                sentences = self._records.failures(record)
            except WhqError as error:
                sentences = [str(error)]
            if sentences:
                item.stash[_FAILED] = True
                pytest.fail(printable("\n".join(sentences)), pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry the record, so that it reaches the process that reports."""
        report = yield
        if call.when == "call":
            self._load_record(report, item)
        if is_measured(item) and not (report.passed or hasattr(report, "whq_record")):
            setattr(report, CARRIED, "failed_before" if report.failed else "was_skipped")
        return report

    def _load_record(self, report: pytest.TestReport, item: pytest.Item) -> None:
        if _taken(item, _FAILED):
            place_at_test(report, item)
        if (record := _taken(item, _RECORD)) is not None:
            outcome = "failed" if report.passed and self._failed_part == item.nodeid else outcome_of(report)
            if outcome != "skipped" or has_queries(record):
                record = replace(record, outcome=outcome)
                self._load_onto(report, record)
                add_properties(item, report, record, self._instruments.rig().source)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a subtest has failed: its test passes until pytest shows it as failed; or a teardown."""
        if report.when == "call" and report.failed:
            self._failed_part = report.nodeid
        self._collected.note(report)

    def _error(self, item: pytest.Item) -> BaseException | None:
        """What a test that has run to its end has raised all the same, itself or in a subtest."""
        if self._failed_part == item.nodeid:
            return pytest.fail.Exception("a subtest failed")
        return kept_error(item)

    def _report_interrupted(self, item: pytest.Item) -> None:
        """Take what a test measured before Ctrl-C, or `pytest.exit`: pytest makes no report of it."""
        if (record := _taken(item, _RECORD)) is not None:
            report = pytest.TestReport(item.nodeid, item.location, {}, "failed", None, "call")
            self._load_onto(report, replace(record, outcome="interrupted"))
            self.take(report)
        elif is_measured(item):
            self._gaps.note_interrupted(item.nodeid)

    def _load_onto(self, report: pytest.TestReport, record: Record) -> None:
        carrier: Any = report
        carrier.whq_record = record_as_dict(record)
        carrier.whq_rig = rig_as_dict(self._instruments.rig())
        carrier.whq_fell_back = self._instruments.fell_back

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report files and give the power source back."""
        if not is_worker(self._config):
            self._collected.finish(session, self._instruments.rig())
        else:
            self._gaps.hand_over(vars(self._config)["workeroutput"])
        self._instruments.close()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker of pytest-xdist says at its end."""
        self._gaps.take_over(getattr(node, "workeroutput", {}))

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Print what was measured."""
        self._collected.summarise(terminalreporter)

    def _open_ledger(self, item: pytest.Item) -> Ledger:
        suspects = functools.partial(self._records.is_suspect, item) if self._settings.remeasure else None
        item.stash[_LEDGER] = Ledger(self._instruments, plan_for(item, self._settings.plan), suspects)
        return item.stash[_LEDGER]

    def _ledger_of(self, item: pytest.Item) -> Ledger:
        return item.stash[_LEDGER] if _LEDGER in item.stash else self._open_ledger(item)


def _taken(item: pytest.Item, key: pytest.StashKey[Any]) -> Any:
    """What the stash holds, and then no longer: a test that is run again starts afresh."""
    found = item.stash.get(key, None)
    if found is not None:
        del item.stash[key]
    return found
