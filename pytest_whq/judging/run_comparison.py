"""Whole runs against a baseline, or against each other. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.gaps import with_missing_tests
from pytest_whq.judging.regressions import Against, Alike, Limit, against, alike_with, compare, limit_for
from pytest_whq.judging.run_noise import Noise
from pytest_whq.judging.smallest_change import smallest_changes
from pytest_whq.judging.suite import Case
from pytest_whq.measuring.combined import combine
from pytest_whq.model import Comparison, Record, Run
from pytest_whq.model.baseline import (
    COMPARED,
    Accepted,
    Baseline,
    accept,
    entry_of,
)
from pytest_whq.model.gaps import RAN


@dataclass(frozen=True, slots=True)
class Rules:
    """By what runs are compared: ``entries`` are of a budget file and come before ``limit``."""

    limit: Limit = Limit()  # noqa: RUF009 - frozen
    entries: tuple[BudgetEntry, ...] = ()
    noise: Noise = Noise()  # noqa: RUF009 - frozen


def compare_run(run: Run, baseline: Baseline, rules: Rules) -> Run:
    """``run`` with each record compared with ``baseline``, in place of what it was stored with."""
    limits = [
        limit_for(
            record.test,
            run.rig.of_devices(record.measurement.device_ids).devices,
            file=rules.entries,
            default=rules.limit,
        )
        for record in run.records
    ]
    return _compared_by(run, baseline, limits, rules.noise)


def compare_again(run: Run, baseline: Baseline, noise: Noise) -> Run:
    """``run`` whose records, compared one by one, are compared as a suite by the same limits.

    What has failed its test has failed it.
    """
    limits = [
        None
        if found is None or found.limit is None or found.meaning.fails
        else Limit(found.limit, found.origin or "default")
        for found in (record.comparison for record in run.records)
    ]
    return _compared_by(run, baseline, limits, noise)


def _compared_by(run: Run, baseline: Baseline, limits: Sequence[Limit | None], noise: Noise) -> Run:
    """``run`` whose records are compared, but for those without a limit."""
    tests = [
        record.comparison if limit is None else against(record, run.rig, baseline, limit)
        for record, limit in zip(run.records, limits, strict=True)
    ]
    compared = compare_all(tests, noise)
    records = (replace(record, comparison=one) for record, one in zip(run.records, compared, strict=True))
    return replace(run, records=tuple(records))


def compare_all(tests: Sequence[Against | Comparison | None], noise: Noise) -> list[Comparison | None]:
    """The comparisons of ``tests``, of which some are settled, all others judged together."""
    judged = iter(compare([test for test in tests if isinstance(test, Against)], noise))
    return [next(judged) if isinstance(test, Against) else test for test in tests]


Findable = Mapping[str, float | None]
"""By test, the smallest change that its comparison could have found; see `smallest_changes`."""


def findable_in(run: Run, baseline: Baseline, noise: Noise) -> Findable:
    """What the comparisons of ``run`` with ``baseline`` could find, as far as there are any."""
    tests = {}
    for record in run.records:
        compared = record.comparison
        if compared is not None and compared.limit is not None:
            limit = Limit(compared.limit)
            tests[record.test] = against(record, run.rig, baseline, limit)
    return _findable(tests, noise)


def findable_by(baseline: Baseline, rules: Rules, runs: int) -> Findable:
    """What ``runs`` runs of each test of ``baseline`` could find, on the rig that measured it last."""
    tests = {}
    for test, entries in baseline.tests.items():
        limit = limit_for(test, entries[-1].run.rig.devices, file=rules.entries, default=rules.limit)
        tests[test] = Against([entries[-1]] * runs, entries, limit)
    return _findable(tests, rules.noise)


def _findable(tests: Mapping[str, Against | Comparison], noise: Noise) -> Findable:
    found: dict[str, Case] = {}
    differ = False
    for test, one in tests.items():
        alike = alike_with(one, noise) if isinstance(one, Against) else None
        if isinstance(alike, Alike) and (case := alike.means(COMPARED[0])) is not None:
            found[test] = case
            differ = differ or bool(alike.differences)
    changes = smallest_changes(list(found.values()), noise.for_boards(differ))
    return dict(zip(found, changes, strict=True))


def compare_runs(bases: Sequence[Run], heads: Sequence[Run], rules: Rules) -> Run:
    """The runs ``heads`` against the runs ``bases``, by test; rig and commit are those of the last head.

    A test's figures in the result are those of all heads together; tests that only the base has are gaps.
    """
    merged, why_out = _tests_between(bases, heads, rules)
    compared = compare_all([test for _, test in merged], rules.noise)
    records = [
        replace(record, budgets=(), comparison=_explained(one, why_out.get(record.test)))
        for (record, _), one in zip(merged, compared, strict=True)
    ]
    gaps = tuple(gap for run in heads for gap in run.gaps if gap.kind in (*RAN, "was_skipped"))
    whole = replace(heads[-1], records=tuple(records), gaps=gaps)
    return with_missing_tests(whole, (record.test for run in bases for record in run.records), "only_in_base")


def findable_between(bases: Sequence[Run], heads: Sequence[Run], rules: Rules) -> Findable:
    """What `compare_runs` of the same runs could find."""
    merged, _ = _tests_between(bases, heads, rules)
    return _findable({record.test: test for record, test in merged}, rules.noise)


def _tests_between(
    bases: Sequence[Run], heads: Sequence[Run], rules: Rules
) -> tuple[list[tuple[Record, Against | Comparison]], Mapping[str, str]]:
    """Each test of ``heads`` as one record with what to compare of it, and why tests of ``bases`` are out."""
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
    return [_merged(each, baseline, rules) for each in found.values()], why_out


def suspects(run: Run) -> tuple[str, ...]:
    """The tests of a run that was compared which seem to have changed by more than is allowed."""
    return tuple(
        record.test for record in run.records if record.comparison and may_have_changed(record.comparison)
    )


def may_have_changed(comparison: Comparison) -> bool:
    """Whether a figure is off by more than is allowed, be it by chance."""
    if comparison.change is None:
        return False
    beyond_shift = (1 + comparison.change) / (1 + (comparison.shift or 0.0)) - 1
    return abs(beyond_shift) > (comparison.limit or 0.0)


def _merged(
    found: Sequence[tuple[Record, Run]], baseline: Baseline, rules: Rules
) -> tuple[Record, Against | Comparison]:
    """The records of one test as one, and what to compare of those that are valid."""
    valid = [(record, run) for record, run in found if record.measurement.why_incomparable is None]
    last, run = found[-1]
    limit = limit_for(
        last.test,
        run.rig.of_devices(last.measurement.device_ids).devices,
        file=rules.entries,
        default=rules.limit,
    )
    if not valid:
        return last, against(last, run.rig, baseline, limit)
    entries: list[Accepted] = [entry_of(record, run) for record, run in valid]
    measurement = combine([record.measurement for record, _ in valid])
    return replace(last, measurement=measurement), Against(entries, baseline.of(last.test), limit)


def _explained(comparison: Comparison | None, why_out: str | None) -> Comparison | None:
    """A test whose figures the base could not offer is new, but not for want of them."""
    if comparison is None or not comparison.is_new or why_out is None:
        return comparison
    return replace(comparison, why=f"the base has no valid figure of this test: {why_out}")
