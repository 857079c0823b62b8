"""The baseline of a session: what its records are compared with, and what it accepts into it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.policies import regression_sentence, warning_lines
from pytest_whq.judging.regressions import limit_for, without_baseline
from pytest_whq.judging.run_comparison import Findable, compare_again, findable_in
from pytest_whq.judging.running_comparison import RunningComparison
from pytest_whq.model import Comparison, Record, Rig, Run
from pytest_whq.model.baseline import Baseline
from pytest_whq.plugin.settings import Settings
from pytest_whq.rendering import acceptance, findable
from pytest_whq.rendering.words import one_line
from pytest_whq.storing.baseline_file import read_baseline, update_baseline


class SessionBaseline:
    """Judges regressions; where the session updates its baseline, they are shown and fail nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fails = settings.enforce and not settings.update_baseline
        self._path = settings.baseline
        self._told = ""
        self._tests = 1
        self._found_late: tuple[str, ...] = ()
        self._findable: Findable = {}

    @cached_property
    def baseline(self) -> Baseline | None:
        """What was accepted before this session, None where there is no file; RunFileError if unreadable."""
        return read_baseline(self._path) if self._path.exists() else None

    def expect(self, tests: int) -> None:
        """So many tests are going to be measured."""
        self._tests = tests

    @cached_property
    def _running(self) -> RunningComparison:
        return RunningComparison(self.baseline or Baseline({}), self._tests, self._settings.noise)

    def compare(
        self,
        record: Record,
        rig: Rig,
        marker: Sequence[BudgetEntry],
        attempts: Sequence[Record] = (),
        *,
        final: bool = True,
    ) -> Comparison | None:
        """``record``, measured on ``rig``, against the baseline; None where there is none.

        ``attempts`` and ``final`` as in `RunningComparison`.
        """
        settings = self._settings
        if self.baseline is None:
            why = f"there is no baseline {self._path.name}; --whq-update-baseline makes it"
            missing = replace(without_baseline(why), fails_by_policy=True)
            return missing if settings.policies.no_baseline == "fail" else None
        limit = limit_for(
            record.test, rig.devices, marker=marker, file=settings.entries, default=settings.limit
        )
        return settings.policies.applied(self._running.compare(record, rig, limit, attempts, final=final))

    def failure(self, record: Record) -> str | None:
        """The sentence with which ``record`` fails its test, None where it does not."""
        comparison = record.comparison
        if not self._fails or comparison is None:
            return None
        value = record.measurement.metric(comparison.metric)
        return one_line(regression_sentence(comparison, value)) if comparison.fails else None

    def judge_suite(self, run: Run) -> Run:
        """``run``, which is over, with its records judged as a suite: by now all of them are known."""
        if self.baseline is None:
            return run
        judged = self._settings.policies.applied_to(compare_again(run, self.baseline, self._settings.noise))
        self._findable = findable_in(judged, self.baseline, self._settings.noise)
        if self._fails:
            self._found_late = tuple(
                after.test
                for before, after in zip(run.records, judged.records, strict=True)
                if self.failure(before) is None and self.failure(after) is not None
            )
        return judged

    @property
    def findable(self) -> str | None:
        """What the session could find, in a line; None where nothing was compared."""
        return findable.summary(self._findable)

    @property
    def found_late(self) -> tuple[str, ...]:
        """Tests that passed, but fail as part of the suite: their energy has regressed."""
        return self._found_late

    def accept(self, run: Run) -> None:
        """Accept the records of ``run`` into the file; RunFileError where it cannot be written."""
        self._told = f"Nothing is accepted into {one_line(self._path.name)}."
        self._told = acceptance.render(update_baseline(self._path, [run]), self._path.name)

    def lines(self, records: Sequence[Record]) -> Iterator[str]:
        """What is to be warned of, and what was accepted."""
        settings = self._settings
        if settings.update_baseline:
            nothing = (
                f"Nothing is accepted into {one_line(self._path.name)}: the session did not come to its end."
            )
            yield from (self._told or nothing).splitlines()
        elif not records:
            return
        elif not self._path.exists():
            if self._fails and settings.policies.no_baseline == "warn" and settings.baseline_named_by is None:
                name = one_line(self._path.name)
                yield f"No baseline {name}: regressions are not judged (--whq-update-baseline makes one)."
        else:
            yield from map(one_line, warning_lines(records, settings.policies))
            for test in self._found_late:
                yield f"{one_line(test)} regressed: it shows now that the whole suite is measured."
