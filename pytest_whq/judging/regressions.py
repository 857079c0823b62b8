"""Regressions: what one or several runs measured of a test against its baseline. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pytest_whq.interval import student_t95
from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.budgets import matches, strange_device
from pytest_whq.judging.rig_differences import differences_of
from pytest_whq.judging.run_noise import Noise
from pytest_whq.judging.suite import Case, Judged, RunMean, judge_suite, outcome_of
from pytest_whq.model import Comparison, Device, Record, Rig
from pytest_whq.model.baseline import (
    COMPARED,
    Accepted,
    AcceptedRun,
    Baseline,
    entry_of,
    rig_key,
)
from pytest_whq.units import format_percent

MAX_REGRESSION = 0.05
"""The change that is allowed where nobody says otherwise."""

_MANY = 1000
_NOTABLE = 0.02
"""A change of token counts below this share explains nothing."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest change of energy that is allowed, a share; ``origin`` says where it stands."""

    max_regression: float = MAX_REGRESSION
    origin: str = "default"


def limit_for(
    test: str,
    devices: Sequence[Device],
    *,
    marker: Sequence[BudgetEntry] = (),
    file: Sequence[BudgetEntry] = (),
    default: Limit = Limit(),
) -> Limit:
    """The nearest limit: the first of ``marker``, else the last of ``file`` for the test and devices."""
    for entry in (*marker, *reversed(file)):
        is_for = matches(test, entry.tests) and strange_device(entry.hardware, devices) is None
        if entry.max_regression is not None and is_for:
            return Limit(entry.max_regression, entry.origin)
    return default


@dataclass(frozen=True, slots=True)
class Against:
    """The runs ``head`` of a test, and what was accepted of it on whatever rig, each with the latest last."""

    head: Sequence[Accepted]
    base: Sequence[Accepted]
    limit: Limit = Limit()


def against(
    record: Record, rig: Rig, baseline: Baseline, limit: Limit, attempts: Sequence[Record] = ()
) -> Against | Comparison:
    """``record``, measured on ``rig``, and what to compare it with; or why there is nothing to compare.

    ``attempts`` are all records of its test where it was measured again.
    """
    if why := record.measurement.why_incomparable:
        found = without_baseline(f"it was not measured: {why}")
        if baseline.of(record.test):
            found = replace(found, outcome="not_measured", why=why)
        return _with_limit(found, limit)
    now = AcceptedRun("", "", None, rig)
    valid = [one for one in attempts or (record,) if one.measurement.why_incomparable is None]
    return Against([entry_of(one, now) for one in valid], baseline.of(record.test), limit)


def without_baseline(why: str) -> Comparison:
    """That of any record where there is no baseline at all."""
    return Comparison(COMPARED[0], None, None, None, "new", why=why)


def compare(tests: Sequence[Against], noise: Noise = Noise()) -> list[Comparison]:  # noqa: B008 - frozen
    """The comparison of each of ``tests``, judged together as the suite that they are.

    The verdict is that on Wh per query. Energy per output token is judged beside it.
    """
    alike = [alike_with(test, noise) for test in tests]
    comparable = [one for one in alike if isinstance(one, Alike)]
    whole, per_token = (judged_metrics(comparable, metric, noise) for metric in COMPARED)
    verdicts = iter(zip(comparable, whole, per_token, strict=True))
    return [one if isinstance(one, Comparison) else concluded(*next(verdicts)) for one in alike]


class Alike(NamedTuple):
    """Runs of a test on both sides that can be compared; ``differences`` where on boards that differ."""

    head: Sequence[Accepted]
    base: Sequence[Accepted]
    limit: Limit
    differences: tuple[str, ...] = ()

    def means(self, metric: str) -> Case | None:
        """The means of ``metric`` in each run; None where one does not know it."""
        head, base = ([(e, e.metric(metric)) for e in side] for side in (self.head, self.base))
        if any(value is None for _, value in (*head, *base)):
            return None
        limit = self.limit.max_regression
        return Case(_means(metric, head, "head"), _means(metric, base, "base"), limit)


def alike_with(test: Against, noise: Noise) -> Alike | Comparison:
    """The runs of ``test`` that were made on the same rig, or why there are none."""
    head, metric = test.head, COMPARED[0]
    key = rig_key(head[0])
    if strange := next((entry for entry in head[1:] if rig_key(entry) != key), None):
        differences = differences_of(strange, head[0], "in another of the runs to compare")
        found = Comparison(metric, None, None, None, "not_comparable", differences=differences)
        return _with_limit(found, test.limit)
    same = [entry for entry in test.base if rig_key(entry) == key]
    if same:
        return Alike(head, same, test.limit)
    if not test.base:
        return _with_limit(Comparison(metric, None, None, None, "new"), test.limit)
    others = [entry for entry in test.base if rig_key(entry).of_any_board == key.of_any_board]
    if others and noise.other_boards is not None:
        return Alike(head, others, test.limit, differences_of(head[0], others[-1]))
    differences = min((differences_of(head[0], entry) for entry in reversed(test.base)), key=len)
    found = Comparison(metric, None, None, None, "not_comparable", differences=differences)
    return _with_limit(found, test.limit)


def judged_metrics(tests: Sequence[Alike], metric: str, noise: Noise) -> list[Comparison | None]:
    """The comparison of each test by one metric; None where a run of it does not know that."""
    cases = [test.means(metric) for test in tests]
    assumed = noise.for_boards(any(test.differences for test in tests))
    judged = iter(judge_suite([case for case in cases if case is not None], assumed))
    return [None if case is None else compared(metric, next(judged), case.limit) for case in cases]


def compared(metric: str, judged: Judged, limit: float) -> Comparison:
    """What was ``judged`` of a metric, as a comparison without what stands around it."""
    outcome = outcome_of(judged, limit)
    return Comparison(
        metric,
        judged.base,
        judged.value - 1,
        (judged.low - 1, judged.high - 1),
        outcome,
        shift=judged.shift - 1 if judged.shift != 1 else None,
        why=_why_unsure(judged, limit) if outcome == "inconclusive" else None,
    )


def concluded(test: Alike, found: Comparison | None, per_token: Comparison | None) -> Comparison:
    """``found`` with what it was compared with, and what there is to say of it."""
    assert found is not None  # Wh per query is known of what was accepted.
    latest = test.base[-1].run
    return replace(
        _with_limit(found, test.limit),
        runs=len(test.base),
        created=latest.created,
        commit=latest.commit,
        differences=test.differences,
        likely_cause=_likely_cause(test.head, test.base, found),
        per_token=per_token,
    )


def _with_limit(comparison: Comparison, limit: Limit) -> Comparison:
    return replace(comparison, limit=limit.max_regression, origin=limit.origin)


def _means(metric: str, entries: Iterable[tuple[Accepted, float | None]], side: str) -> list[RunMean]:
    """The means of a test's runs: those of two tests are of one run where they were made at the same time."""
    return [
        RunMean(
            (side, entry.run.created, number if side == "head" else 0), value, _error(metric, value, entry)
        )
        for number, (entry, value) in enumerate(entries)
        if value is not None
    ]


def _error(metric: str, value: float, entry: Accepted) -> float:
    """The standard error of a run's mean, a share: between its rounds, or of its sensor if that is more.

    Of a single window only its sensor's is known: how far such windows differ, the run noise stands for.
    """
    error = 0.0
    if entry.uncertainty_j is not None:
        error = entry.uncertainty_j / entry.energy_j
    if (bounds := entry.interval95.get(metric)) is not None:
        half = (bounds[1] - bounds[0]) / 2
        # A baseline tells the interval and no rounds: of many the interval says most.
        degrees = max(entry.rounds - 1, 1) if entry.rounds else _MANY
        error = max(error, half / value / student_t95(degrees))
    return error


def _why_unsure(judged: Judged, limit: float) -> str:
    value, low, high = judged.beyond_shift
    if abs(value - 1) <= limit:
        return f"a change of {format_percent(2 * limit)}, twice the limit, cannot be excluded"
    if low <= 1 <= high:
        return "the change is beyond the limit, but no change at all cannot be excluded"
    if judged.odd:
        return "single runs of these tests are often as far off: measure it again (--whq-remeasure)"
    return "among so many tests chance alone makes such a change: measure it again (--whq-remeasure)"


def _likely_cause(head: Sequence[Accepted], base: Sequence[Accepted], found: Comparison) -> str | None:
    """What the token counts say of a change that is beyond the limit, or may be."""
    if found.is_unchanged or found.change is None:
        return None
    # A token of output takes 10 to 20 times the energy of one of input, so that those of input explain
    # a change only where they have changed at least as much.
    for kind, share in (("output", 0.5), ("input", 1.0)):
        now, before = _tokens_per_query(kind, head), _tokens_per_query(kind, base)
        if not now or not before:
            continue
        change = now / before - 1
        if abs(change) >= max(_NOTABLE, share * abs(found.change)) and (change > 0) is (found.change > 0):
            return (
                f"{kind} tokens per query changed by {format_percent(change, signed=True)}, "
                f"from {before:.4g} to {now:.4g}"
            )
    return None


def _tokens_per_query(kind: str, entries: Sequence[Accepted]) -> float | None:
    """The mean of the runs' tokens per query, None where one does not know them."""
    total = 0.0
    for entry in entries:
        tokens: int | None = getattr(entry, f"{kind}_tokens")
        if tokens is None:
            return None
        total += tokens / entry.queries
    return total / len(entries)
