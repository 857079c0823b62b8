"""What a session does not tell though somebody expects it to, found where the records come together."""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from pytest_whq.errors import RunFileError
from pytest_whq.judging.gaps import unjudged
from pytest_whq.model import Gap, Record, Run
from pytest_whq.plugin.baseline import SessionBaseline
from pytest_whq.plugin.selection import Selection
from pytest_whq.plugin.settings import Settings

CARRIED = "whq_absent"
"""As an attribute of a test report: the kind of gap that a measured test without a record leaves."""

_HANDED_OVER = "whq_gaps"


class SessionGaps:
    """Finds what is missing of a session; under xdist its workers know what was collected."""

    def __init__(self, config: pytest.Config, settings: Settings, baseline: SessionBaseline) -> None:
        self._settings = settings
        self._baseline = baseline
        self._absent: dict[str, Gap] = {}
        self._handed_over: tuple[Gap, ...] | None = None
        self.selection = Selection(config)

    def note_absent(self, report: pytest.TestReport) -> None:
        """Take in a report whose test has no record."""
        self._absent[report.nodeid] = Gap(getattr(report, CARRIED), report.nodeid)

    def note_interrupted(self, test: str) -> None:
        """Take in that the session ended while ``test`` ran, which had measured nothing."""
        self._absent[test] = Gap("interrupted_before", test)

    def hand_over(self, workeroutput: dict[str, Any]) -> None:
        """Let the controller know what this worker's selection left out."""
        workeroutput[_HANDED_OVER] = [asdict(gap) for gap in self._of_selection()]

    def take_over(self, workeroutput: dict[str, Any]) -> None:
        """Take in what a worker has handed over: each has collected the same."""
        if _HANDED_OVER in workeroutput:
            self._handed_over = tuple(Gap(**gap) for gap in workeroutput[_HANDED_OVER])

    def of(self, run: Run) -> tuple[Gap, ...]:
        """What is missing beside the records of ``run``."""
        if self._settings.disable:
            return ()
        measured = {record.test for record in run.records}
        expected = self._expected()
        known = {gap.what: gap for gap in self._known()}
        found = [gap for gap in known.values() if gap.what not in measured]
        found = [gap for gap in found if gap.kind != "was_skipped" or gap.what in expected]
        found += [Gap("not_reached", test) for test in expected if test not in measured and test not in known]
        return (*found, *self._no_baseline())

    def unjudged(self, records: Collection[Record]) -> tuple[Gap, ...]:
        """That enforcing verdicts came to nothing, where it did."""
        if not self._settings.enforce or any(record.is_judged for record in records):
            return ()
        why = "no budget applies to what was measured"
        return (unjudged(records, "--whq-budget enforced nothing", why),)

    def _known(self) -> Iterator[Gap]:
        yield from self._of_selection() if self._handed_over is None else self._handed_over
        yield from self._absent.values()

    def _of_selection(self) -> Iterator[Gap]:
        return self.selection.gaps(self._expected(), self._settings.entries)

    def _expected(self) -> Collection[str]:
        """The tests that the baseline has."""
        try:
            baseline = self._baseline.baseline
        except RunFileError:  # Refused before any test was measured.
            return ()
        return () if baseline is None else baseline.tests.keys()

    def _no_baseline(self) -> Iterator[Gap]:
        settings = self._settings
        wanted = not settings.update_baseline and settings.policies.no_baseline != "pass"
        if settings.baseline_named_by is not None and wanted and not settings.baseline.exists():
            yield Gap("no_baseline", settings.baseline.name, settings.baseline_named_by)
