"""The record of each test: what it measured, its budgets, and how it compares with the baseline."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_whq.judging.budgets import failing_sentence, judge_budgets, nearest_max_failed
from pytest_whq.judging.max_failed import all_failed, allow_failures
from pytest_whq.judging.run_comparison import may_have_changed
from pytest_whq.model import Measurement, Reason, Record, TokenCount
from pytest_whq.plugin.baseline import SessionBaseline
from pytest_whq.plugin.instruments import SessionInstruments
from pytest_whq.plugin.items import line_of, params_of
from pytest_whq.plugin.settings import Settings, marker_budgets, marker_entries


class JudgedRecords:
    """Makes the records of a session's tests, and says what fails a test."""

    def __init__(
        self, settings: Settings, instruments: SessionInstruments, baseline: SessionBaseline
    ) -> None:
        self._settings = settings
        self._instruments = instruments
        self._baseline = baseline

    def is_suspect(self, item: pytest.Item, attempts: Sequence[Measurement]) -> bool:
        """Whether what a test measured so far seems to have changed, and may be measured once more."""
        if len(attempts) > self._settings.remeasure:
            return False
        records = [Record(item.nodeid, "passed", attempt) for attempt in attempts]
        rig = self._instruments.rig()
        found = self._baseline.compare(records[-1], rig, marker_entries(item), records, final=False)
        return found is not None and may_have_changed(found)

    def made(self, item: pytest.Item, measurement: Measurement | None = None) -> Record:
        """The record of what ``item`` measured, judged by its budgets; None where it measured nothing."""
        measurement = _NOTHING if measurement is None else measurement
        marker = marker_budgets(item)
        allowed = nearest_max_failed(item.nodeid, marker, self._settings.budgets, self._settings.max_failed)
        measurement = allow_failures(measurement, allowed)
        budgets = judge_budgets(
            item.nodeid,
            measurement,
            self._instruments.rig().devices,
            marker=marker,
            file=self._settings.budgets,
            caps=self._settings.caps,
            estimate=self._settings.estimate,
        )
        return Record(item.nodeid, "passed", measurement, budgets, line=line_of(item), params=params_of(item))

    def compared(self, item: pytest.Item, record: Record, attempts: Sequence[Measurement]) -> Record:
        """``record`` with its comparison; a test that failed by itself has none, since it did other work."""
        records = [replace(record, measurement=attempt) for attempt in attempts]
        comparison = self._baseline.compare(record, self._instruments.rig(), marker_entries(item), records)
        return replace(record, comparison=comparison)

    def failures(self, record: Record) -> list[str]:
        """What fails the test, a sentence each."""
        if not self._settings.enforce:
            return []
        rig = self._instruments.rig()
        sentences = [
            failing_sentence(verdict, record.measurement, rig.devices, rig.source)
            for verdict in record.budgets
            if verdict.fails
        ]
        regression = self._baseline.failure(record)
        sentences += [] if regression is None else [regression]
        failed = None if sentences else all_failed(record.measurement)
        return sentences if failed is None else [failed]


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
