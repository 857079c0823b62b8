"""What is missing of a run that a baseline or a budget file speaks of. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.budgets import matches
from pytest_whq.model import Gap, GapKind, Record, Run


def with_missing_tests(run: Run, tests: Iterable[str], otherwise: GapKind) -> Run:
    """``run`` that says which of ``tests`` it lacks, and does not know itself why: ``otherwise`` says so."""
    measured = {record.test for record in run.records}
    told = [gap for gap in run.gaps if gap.what not in measured]
    known = {gap.what for gap in told}
    lacking = (test for test in dict.fromkeys(tests) if test not in measured and test not in known)
    return replace(run, gaps=(*told, *(Gap(otherwise, test) for test in lacking)))


def with_unjudged(run: Run, said: str, *whys: str) -> Run:
    """``run`` with what `unjudged` says of it."""
    return replace(run, gaps=(*run.gaps, unjudged(run.records, said, *whys)))


def unjudged(records: Iterable[Record], said: str, *whys: str) -> Gap:
    """That none of ``records`` was judged, as ``said``: for ``whys``, unless there was nothing to judge."""
    measured = any(record.measurement.why_unmeasured is None for record in records)
    return Gap("unjudged", said, " and ".join(whys) if measured else "nothing was measured")


def unused_entries(entries: Sequence[BudgetEntry], tests: Sequence[str]) -> Iterator[Gap]:
    """A gap for each of ``entries`` that is for none of ``tests``."""
    for entry in entries:
        if not any(matches(test, entry.tests) for test in tests):
            yield Gap("unused_budget", entry.origin, entry.tests)
