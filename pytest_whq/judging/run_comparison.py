"""Whole runs against a baseline, or against each other. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.ratio_of_means import RUN_NOISE
from pytest_whq.judging.regressions import Limit, compare, compare_record, limit_for
from pytest_whq.measuring.result import combine
from pytest_whq.model import Comparison, Record, Run
from pytest_whq.model.baseline import (
    Accepted,
    Baseline,
    accept,
    entry_of,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """By what runs are compared: ``entries`` are of a budget file and come before ``limit``."""

    limit: Limit = Limit()  # noqa: RUF009 - frozen
    entries: tuple[BudgetEntry, ...] = ()
    run_noise: float = RUN_NOISE


def compare_run(run: Run, baseline: Baseline, rules: Rules) -> Run:
    """``run`` with each record compared with ``baseline``, in place of what it was stored with."""
    records = []
    for record in run.records:
        limit = limit_for(record.test, run.rig.devices, file=rules.entries, default=rules.limit)
        comparison = compare_record(record, run.rig, baseline, limit, rules.run_noise)
        records.append(replace(record, comparison=comparison))
    return replace(run, records=tuple(records))


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """Runs against others as one run, of which each record is compared; ``gone`` are tests without one."""

    run: Run
    gone: tuple[str, ...]


def compare_runs(bases: Sequence[Run], heads: Sequence[Run], rules: Rules) -> RunsCompared:
    """The runs ``heads`` against the runs ``bases``, by test; rig and commit are those of the last head.

    A test's figures in the result are those of all heads together.
    """
    baseline = Baseline({})
    why_out: dict[str, str] = {}
    for run in bases:
        done = accept(baseline, run, kept=len(bases))
        baseline = done.baseline
        why_out |= done.left_out
    found: dict[str, list[tuple[Record, Run]]] = {}
    for run in heads:
        for record in run.records:
            found.setdefault(record.test, []).append((record, run))
    records = [_compared(records, baseline, why_out.get(test), rules) for test, records in found.items()]
    in_base = dict.fromkeys(record.test for run in bases for record in run.records)
    gone = tuple(test for test in in_base if test not in found)
    return RunsCompared(replace(heads[-1], records=tuple(records)), gone)


def _compared(
    found: Sequence[tuple[Record, Run]], baseline: Baseline, why_out: str | None, rules: Rules
) -> Record:
    """The records of one test as one, with the comparison of those that are valid."""
    valid = [(record, run) for record, run in found if record.measurement.why_incomparable is None]
    last, run = found[-1]
    limit = limit_for(last.test, run.rig.devices, file=rules.entries, default=rules.limit)
    if not valid:
        comparison = compare_record(last, run.rig, baseline, limit, rules.run_noise)
        return replace(last, comparison=comparison)
    entries: list[Accepted] = [entry_of(record, run) for record, run in valid]
    comparison = _explained(compare(entries, baseline.of(last.test), limit, rules.run_noise), why_out)
    measurement = combine([record.measurement for record, _ in valid])
    return replace(last, measurement=measurement, budgets=(), comparison=comparison)


def _explained(comparison: Comparison, why_out: str | None) -> Comparison:
    """A test whose figures the base could not offer is new, but not for want of them."""
    if not comparison.is_new or why_out is None:
        return comparison
    return replace(comparison, why=f"the base has no valid figure of this test: {why_out}")
