"""What a session measured: a record for each test."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pytest_whq.model.gaps import Gap
from pytest_whq.model.measurement import Measurement
from pytest_whq.model.place import Place
from pytest_whq.model.rig import Commit, Rig
from pytest_whq.model.verdicts import BudgetVerdict, Comparison

TestOutcome = Literal["passed", "failed", "skipped", "xfailed", "xpassed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Record:
    """What one test measured, and what became of the test.

    ``line`` is that on which the test begins, from 1 on, in the file that its node id names; None where it
    is not there or not known. ``params`` are those parameters of the test that have a short text.
    """

    test: str
    outcome: TestOutcome
    measurement: Measurement
    budgets: tuple[BudgetVerdict, ...] = ()
    comparison: Comparison | None = None
    line: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def outside_pytest(
        cls, name: str, measurement: Measurement, *, failed: bool = False, interrupted: bool = False
    ) -> "Record":
        """That of something which is no test: it has passed unless it ``failed``, or was ``interrupted``."""
        return cls(name, "interrupted" if interrupted else "failed" if failed else "passed", measurement)

    def as_failed(self) -> "Record":
        """The same, of a test that failed by itself once it had measured, and is compared with nothing."""
        return replace(self, outcome="failed", comparison=None)

    @property
    def failed(self) -> bool:
        """Whether the test failed, by itself or by a verdict."""
        return self.outcome == "failed"

    @property
    def skipped(self) -> bool:
        """Whether the test was skipped, maybe after it had measured something."""
        return self.outcome == "skipped"

    @property
    def interrupted(self) -> bool:
        """Whether the session ended while the test ran, which had measured something by then."""
        return self.outcome == "interrupted"

    @property
    def verdict_fails(self) -> bool:
        """Whether a budget or the comparison fails the test where verdicts are enforced."""
        regressed = self.comparison is not None and self.comparison.fails
        return regressed or any(verdict.fails for verdict in self.budgets)

    @property
    def is_judged(self) -> bool:
        """Whether a budget applies to the test, or the comparison says whether it changed, or fails it."""
        compared = self.comparison is not None and self.comparison.meaning.settled
        return compared or self.verdict_fails or any(verdict.applies for verdict in self.budgets)


@dataclass(frozen=True, slots=True)
class Run:
    """The records of one session, with when, on what and of which commit they were made.

    ``place`` is where that was, so far as the user says, for what follows from the energy there; ``gaps`` are
    what is missing. ``name`` is what the user calls it, by which reports of several runs are told apart.
    """

    created: str
    tool: str
    commit: Commit | None
    rig: Rig
    records: tuple[Record, ...]
    place: Place | None = None
    gaps: tuple[Gap, ...] = ()
    name: str | None = None

    @property
    def tests_interrupted(self) -> int:
        """How many tests the end of the session has interrupted, such as Ctrl-C."""
        before_any = sum(gap.kind == "interrupted_before" for gap in self.gaps)
        return before_any + sum(record.interrupted for record in self.records)

    @property
    def measured_from(self) -> str | None:
        """When measuring began: a day, or a time in UTC; None where other tools' results do not tell."""
        found = [record.measurement.imported for record in self.records]
        if not found or None in found:
            return self.created
        dates = (one.setup.date for one in found if one is not None and one.setup.date is not None)
        return min((date for date in dates if _DATE.match(date)), default=None)


_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?$")
"""A day, or a time in UTC; another tool may have written anything."""
