"""The records of a session where they come together: journal, report files, terminal summary."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_whq import __version__
from pytest_whq.errors import RunFileError
from pytest_whq.model import Record, Rig, Run
from pytest_whq.plugin.commit import current_commit
from pytest_whq.plugin.settings import Settings
from pytest_whq.rendering.terminal import render
from pytest_whq.storing.journal import Journal
from pytest_whq.storing.records import record_from_dict, rig_from_dict
from pytest_whq.storing.runfile import write_run


class CollectedRecords:
    """Takes in the record of each report; of a test that was run again the last one counts.

    ``rig`` is what this process would measure with: a session that measured nothing has it, too.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._records: dict[str, Record] = {}
        self._run: Run | None = None
        self._journal: Journal | None = None
        self._problems: list[str] = []

    def take(self, report: pytest.TestReport) -> None:
        """Keep the record that ``report`` carries, and tell plugins of it."""
        carrier = vars(report)
        record = record_from_dict(carrier["whq_record"], report.nodeid)
        rig = rig_from_dict(carrier["whq_rig"], report.nodeid)
        if self._run is None:
            self._run = self._new_run(rig)
            self._journal = self._start_journal(self._run)
        else:
            self._run = replace(self._run, rig=_merged(self._run.rig, rig))
        self._records[record.test] = record
        if self._journal is not None:
            self._journal.add(record)
        self._config.hook.pytest_whq_record(record=record)

    def finish(self, session: pytest.Session, rig: Rig) -> None:
        """Write the report files; one that cannot be written fails the session, and loses nothing.

        ``rig`` stands in where nothing was measured.
        """
        if self._journal is not None:
            self._journal.finish()
            self._problems += [self._journal.warning] if self._journal.warning else []
        if self._settings.json is not None:
            run = self._run or self._new_run(rig)
            try:
                write_run(replace(run, records=tuple(self._records.values())), self._settings.json)
            except RunFileError as error:
                self._problems.append(f"{error} The records are kept: see whq show.")
                session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def summarise(self, reporter: pytest.TerminalReporter, fell_back: str | None) -> None:
        """Print the section of the terminal report, and what the user must know beside it."""
        verbosity = self._config.get_verbosity()
        if self._run is not None:
            reporter.section("energy, Wh per query", sep="-")
            run = replace(self._run, records=tuple(self._records.values()))
            reporter.write_line(render(run, verbosity=verbosity, width=reporter._tw.fullwidth))
        if fell_back is not None and self._run is not None and verbosity >= 0:
            reporter.write_line(f"Energy is estimated from CPU time: {fell_back}")
        if self._settings.enforce and not any(
            verdict.outcome != "not_judged" for record in self._records.values() for verdict in record.budgets
        ):
            what = "no budget applies to what was measured" if self._records else "nothing was measured"
            reporter.write_line(f"--whq-budget enforced nothing: {what}.", yellow=True)
        for problem in self._problems:
            reporter.write_line(problem, red=True)

    def _new_run(self, rig: Rig) -> Run:
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Run(created, f"pytest-whq {__version__}", current_commit(self._config.rootpath), rig, ())

    def _start_journal(self, run: Run) -> Journal | None:
        cache: pytest.Cache | None = getattr(self._config, "cache", None)
        return None if cache is None else Journal.start(Path(cache.mkdir("whq")), run)


def _merged(one: Rig, other: Rig) -> Rig:
    """The rigs of two workers as one: all their devices, and the source that was opened."""
    devices = dict.fromkeys((*one.devices, *other.devices))
    return replace(one if one.source is not None else other, devices=tuple(devices))
