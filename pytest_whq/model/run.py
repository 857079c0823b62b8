"""What a session measured: a record for each test."""

from dataclasses import dataclass

from pytest_whq.model.measurement import Measurement
from pytest_whq.model.rig import Commit, Rig
from pytest_whq.model.verdicts import BudgetVerdict, Comparison


@dataclass(frozen=True, slots=True)
class Record:
    """What one test measured. ``outcome`` is passed, failed, skipped, xfailed or xpassed."""

    test: str
    outcome: str
    measurement: Measurement
    budgets: tuple[BudgetVerdict, ...] = ()
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The records of one session, with when, on what and of which commit they were made."""

    created: str
    tool: str
    commit: Commit | None
    rig: Rig
    records: tuple[Record, ...]
