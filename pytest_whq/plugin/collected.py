"""The records of a session where they come together: journal, report files, terminal summary."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_whq.errors import RunFileError, described
from pytest_whq.git import current_commit
from pytest_whq.model import Gap, Record, Rig, Run
from pytest_whq.model.history import kept_of
from pytest_whq.plugin.baseline import SessionBaseline
from pytest_whq.plugin.gaps import SessionGaps
from pytest_whq.plugin.settings import Settings
from pytest_whq.rendering.terminal import gap_lines, render
from pytest_whq.rendering.words import one_line, printable
from pytest_whq.reports import add_step_summary, github_lines, write_report
from pytest_whq.storing.history_file import write_history
from pytest_whq.storing.journal import Journal
from pytest_whq.storing.records import record_from_dict, rig_from_dict
from pytest_whq.storing.stamp import TOOL, now

_BROKEN_OFF = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


class CollectedRecords:
    """Takes in the record of each report; of a test that was run again the last one counts."""

    def __init__(
        self, config: pytest.Config, settings: Settings, baseline: SessionBaseline, gaps: SessionGaps
    ) -> None:
        self._config = config
        self._settings = settings
        self._baseline = baseline
        self._session_gaps = gaps
        self._gaps: tuple[Gap, ...] = ()
        self._unjudged: tuple[Gap, ...] = ()
        self._records: dict[str, Record] = {}
        self._untold: set[str] = set()
        self._run: Run | None = None
        self._journal: Journal | None = None
        self._fell_back: str | None = None
        self._problems: list[str] = []
        self._written: list[Path] = []
        self._has_lost = False
        self._failed_hooks: dict[str, str] = {}

    def take(self, report: pytest.TestReport) -> None:
        """Keep the record that ``report`` carries; plugins are told of it when its test is torn down."""
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]
            return  # By pytest-rerunfailures: there is another attempt.
        carrier = vars(report)
        try:
            record = record_from_dict(carrier["whq_record"], report.nodeid)
            rig = rig_from_dict(carrier["whq_rig"], report.nodeid)
        except RunFileError as error:  # A plugin's power source may say anything.
            self._lose(f"A record is lost: {error}")
            return
        self._fell_back = self._fell_back or carrier["whq_fell_back"]
        self._note_rig(rig)
        self._keep(record)

    def note(self, report: pytest.TestReport) -> None:
        """Take in what ``report``, which carries no record, says of a test that has one."""
        record = self._records.get(report.nodeid)
        if record is None or hasattr(report, "whq_record"):
            return
        # In its teardown, in another attempt before it measured, or since its process has crashed.
        if report.failed and not record.failed:
            self._keep(record.as_failed())
        is_over = report.when == "teardown" and report.outcome != "rerun"  # type: ignore[comparison-overlap]
        if is_over and report.nodeid in self._untold:
            self._tell_plugins(self._records[report.nodeid])

    def _keep(self, record: Record) -> None:
        self._records[record.test] = record
        self._untold.add(record.test)
        if self._journal is not None:
            self._journal.add(record)

    def _tell_plugins(self, record: Record) -> None:
        self._untold.discard(record.test)
        # One by one, so that one that fails keeps no other from being told.
        for hook in reversed(self._config.hook.pytest_whq_record.get_hookimpls()):
            try:
                hook.function(*(record for _ in hook.argnames))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - one that skips or exits does so when the test has ended
                self._failed_hooks.setdefault(hook.plugin_name, described(error))

    def finish(self, session: pytest.Session, rig: Rig) -> None:
        """Write the report files; one that cannot be written fails the session, and loses nothing.

        ``rig`` stands in where nothing was measured.
        """
        broken_off = session.exitstatus in _BROKEN_OFF
        for test in sorted(self._untold):  # Those of processes that have ended in them.
            self._tell_plugins(self._records[test])
        if not self._config.option.collectonly:
            self._gaps = self._session_gaps.of(self._whole_run(rig))
        if self._records:
            judged = self._baseline.judge_suite(self._whole_run(rig))
            self._records = {record.test: record for record in judged.records}
            if self._baseline.found_late:
                session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        if not self._config.option.collectonly:
            self._unjudged = self._session_gaps.unjudged(self._records.values())
        if self._journal is not None:
            self._journal.finish((*self._gaps, *self._unjudged), whole=not broken_off)
        if self._journal is not None and self._journal.warning:
            self._problems.append(self._journal.warning)
        if not self._config.option.collectonly:
            if self._records or not broken_off:
                for name, path in self._settings.reports.items():
                    self._try(self._write, rig, name, path)
            if self._records or self._gaps or self._unjudged:
                problem = add_step_summary(self._whole_run(rig), self._settings.arranged.group_by)
                self._problems += [problem] if problem else []
            if self._settings.save is not None and self._records:
                self._keep_in(self._settings.save, rig, broken_off)
            if self._settings.update_baseline and not broken_off:
                self._try(self._baseline.accept, self._whole_run(rig))
        if self._has_lost:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _write(self, rig: Rig, name: str, path: Path) -> None:
        write_report(self._whole_run(rig), name, path, self._settings.arranged.group_by)
        self._written.append(path)

    def _keep_in(self, folder: Path, rig: Rig, broken_off: bool) -> None:
        if broken_off:
            where = self._shown(folder)
            self._problems.append(f"Nothing is kept in {where}: the session did not come to its end.")
        else:
            self._try(self._save, rig, folder)

    def _save(self, rig: Rig, folder: Path) -> None:
        self._written.append(write_history(kept_of(self._whole_run(rig)), folder))

    def _try(self, write: Callable[..., None], *arguments: object) -> None:
        try:
            write(*arguments)
        except RunFileError as error:
            self._lose(f"{error} The records are kept: see whq show." if self._journal else str(error))

    def summarise(self, reporter: "pytest.TerminalReporter") -> None:
        """Print the section of the terminal report, and what the user must know beside it."""
        verbosity = self._config.get_verbosity()
        if self._run is not None:
            reporter.write_sep("-", "energy, Wh per query")
            width = self._config.get_terminal_writer().fullwidth
            # What was not judged stands out below.
            run = replace(self._whole_run(self._run.rig), gaps=self._gaps)
            arranged = self._settings.arranged
            reporter.write_line(printable(render(run, verbosity=verbosity, width=width, arranged=arranged)))
        elif lines := list(gap_lines(self._gaps, verbosity)):
            reporter.write_sep("-", "energy, Wh per query")
            reporter.write_line(printable("\n".join(lines)))
        if self._fell_back is not None and verbosity >= 0:
            reporter.write_line(printable(f"Energy is estimated from CPU time: {self._fell_back}"))
        for line in gap_lines(self._unjudged):
            reporter.write_line(printable(f"{line}."), yellow=True)
        for line in self._baseline.lines(list(self._records.values())):
            reporter.write_line(printable(line), yellow=True)
        if verbosity >= 0 and (findable := self._baseline.findable) is not None:
            reporter.write_line(printable(findable))
        enforced = self._settings.enforce and not self._settings.update_baseline
        if self._run is not None:
            whole = self._whole_run(self._run.rig)
            for command in github_lines(whole, self._config.rootpath, enforced=enforced):
                reporter.write_line(command)
        if self._written and verbosity >= 0:
            paths = ", ".join(one_line(self._shown(path)) for path in self._written)
            reporter.write_line(one_line(f"Written: {paths}"))
        failed = (
            f"pytest_whq_record of {name} failed: {error}" for name, error in self._failed_hooks.items()
        )
        for problem in (*self._problems, *failed):
            reporter.write_line(printable(problem), red=True)

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path, self._config.invocation_params.dir)

    def _lose(self, problem: str) -> None:
        """Fail the session, which could not deliver what it should."""
        self._problems.append(problem)
        self._has_lost = True

    def _note_rig(self, rig: Rig) -> None:
        """Take in what a test was measured with; the journal begins with it, so anew where it changes."""
        before = self._run
        self._run = self._new_run(rig) if before is None else replace(before, rig=_merged(before.rig, rig))
        if self._run != before:
            self._start_journal(self._run)

    def _start_journal(self, run: Run) -> None:
        if self._journal is not None:
            self._journal.finish()
        cache: pytest.Cache | None = getattr(self._config, "cache", None)
        if cache is None:
            return
        try:
            folder = Path(cache.mkdir("whq"))
        except OSError as error:
            problem = f"No journal is kept: pytest's cache cannot be written ({error.strerror})."
            self._problems = list(dict.fromkeys([*self._problems, problem]))
            return
        self._journal = Journal.start(folder, run)
        for record in self._records.values():
            self._journal.add(record)

    def _whole_run(self, rig: Rig) -> Run:
        gaps = (*self._gaps, *self._unjudged)
        return replace(self._run or self._new_run(rig), records=tuple(self._records.values()), gaps=gaps)

    def _new_run(self, rig: Rig) -> Run:
        commit = current_commit(self._config.rootpath)
        settings = self._settings
        return Run(now(), TOOL, commit, rig, (), settings.place, name=settings.name)


def _merged(one: Rig, other: Rig) -> Rig:
    """The rigs of two workers as one: all their devices, and the source that was opened."""
    devices = dict.fromkeys((*one.devices, *other.devices))
    return replace(one if one.source is not None else other, devices=tuple(devices))
