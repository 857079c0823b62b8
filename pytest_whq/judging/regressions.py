"""Regressions: what one or several runs measured of a test against its baseline. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_whq.interval import student_t95
from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.budgets import matches, strange_device
from pytest_whq.judging.ratio_of_means import (
    RUN_NOISE,
    Ratio,
    RunMean,
    mean_of,
    outcome_of,
    ratio_of_means,
)
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


def compare_record(
    record: Record, rig: Rig, baseline: Baseline, limit: Limit, run_noise: float = RUN_NOISE
) -> Comparison:
    """``record``, measured on ``rig``, against what was accepted of its test."""
    if why := record.measurement.why_incomparable:
        found = Comparison(COMPARED[0], None, None, None, "inconclusive", why=f"not measured: {why}")
        return _with_limit(found, limit)
    now = AcceptedRun("", "", None, rig)
    return compare([entry_of(record, now)], baseline.of(record.test), limit, run_noise)


def without_baseline(why: str) -> Comparison:
    """That of any record where there is no baseline at all."""
    return Comparison(COMPARED[0], None, None, None, "new", why=why)


def compare(
    head: Sequence[Accepted], base: Sequence[Accepted], limit: Limit, run_noise: float = RUN_NOISE
) -> Comparison:
    """The runs ``head`` of a test against those of ``base`` of the same rig, the latest last.

    The verdict is that on Wh per query. Energy per output token is judged beside it.
    """
    metric, per_token = COMPARED
    key = rig_key(head[0])
    if strange := next((entry for entry in head[1:] if rig_key(entry) != key), None):
        differences = differences_of(strange, head[0], "in another of the runs to compare")
        found = Comparison(metric, None, None, None, "not_comparable", differences=differences)
        return _with_limit(found, limit)
    alike = [entry for entry in base if rig_key(entry) == key]
    if not alike:
        found = Comparison(metric, None, None, None, "new")
        if base:
            differences = min((differences_of(head[0], entry) for entry in reversed(base)), key=len)
            found = replace(found, outcome="not_comparable", differences=differences)
        return _with_limit(found, limit)
    found = _judged(metric, head, alike, limit, run_noise)
    latest = alike[-1].run
    return replace(
        _with_limit(found, limit),
        runs=len(alike),
        created=latest.created,
        commit=latest.commit,
        likely_cause=_likely_cause(head, alike, found),
        per_token=_per_token(per_token, head, alike, limit, run_noise),
    )


def _with_limit(comparison: Comparison, limit: Limit) -> Comparison:
    return replace(comparison, limit=limit.max_regression, origin=limit.origin)


def _judged(
    metric: str, head: Sequence[Accepted], base: Sequence[Accepted], limit: Limit, run_noise: float
) -> Comparison:
    heads, bases = _means(metric, head), _means(metric, base)
    ratio = ratio_of_means(heads, bases, run_noise)
    outcome = outcome_of(ratio, limit.max_regression)
    interval95 = (ratio.low - 1, ratio.high - 1)
    why = _why_unsure(ratio, limit) if outcome == "inconclusive" else None
    return Comparison(metric, mean_of(bases), ratio.value - 1, interval95, outcome, why=why)


def _per_token(
    metric: str, head: Sequence[Accepted], base: Sequence[Accepted], limit: Limit, run_noise: float
) -> Comparison | None:
    """The comparison of ``metric``; None where a run does not know its tokens."""
    if any(entry.metric(metric) is None for entry in (*head, *base)):
        return None
    return _judged(metric, head, base, limit, run_noise)


def _means(metric: str, entries: Sequence[Accepted]) -> list[RunMean]:
    means = []
    for entry in entries:
        value = entry.metric(metric)
        assert value is not None
        means.append(RunMean(value, _error(metric, value, entry)))
    return means


def _error(metric: str, value: float, entry: Accepted) -> float:
    """The standard error of a run's mean, a share: between its rounds, or of its sensor if that is more.

    Of a single window only its sensor's is known: how far such windows differ, `RUN_NOISE` stands for.
    """
    error = 0.0
    if entry.uncertainty_j is not None:
        error = entry.uncertainty_j / entry.energy_j
    if (bounds := entry.interval95.get(metric)) is not None:
        half = (bounds[1] - bounds[0]) / 2
        error = max(error, half / value / student_t95(max(entry.rounds - 1, 1)))
    return error


def _why_unsure(ratio: Ratio, limit: Limit) -> str:
    if ratio.low <= 1 <= ratio.high and abs(ratio.value - 1) > limit.max_regression:
        return "the change is beyond the limit, but no change at all cannot be excluded"
    twice = format_percent(2 * limit.max_regression)
    return f"a change of {twice}, twice the limit, cannot be excluded"


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


def differences_of(head: Accepted, base: Accepted, where: str = "in the baseline") -> tuple[str, ...]:
    """What keeps two figures from being compared, one phrase for each; ``where`` says where ``base`` is."""
    return tuple(_differences(head, base, where))


def _differences(head: Accepted, base: Accepted, where: str) -> Iterator[str]:
    now, before = head.run.rig, base.run.rig
    for what, one, other in (
        ("source", now.source, before.source),
        ("scope", now.scope, before.scope),
        ("method", head.method, base.method),
    ):
        if one != other:
            yield f"{what} {one or 'unknown'}, {where} {other or 'unknown'}"
    told = False
    for what, tell in (("", _name), ("power limit ", _power_limit), ("role ", _role)):
        one, other = (_counted(map(tell, rig.devices)) for rig in (now, before))
        if one != other and not told:
            told = True
            yield f"{what}{one}, {where} {other}"
    if not told and rig_key(head).devices != rig_key(base).devices:
        yield "the power limits or roles belong to other devices"


def _counted(words: Iterable[str]) -> str:
    """The words with their numbers: ``8 x NVIDIA H200``."""
    counts = Counter(sorted(words))
    return " + ".join(word if n == 1 else f"{n} x {word}" for word, n in counts.items()) or "no device"


def _name(device: Device) -> str:
    return device.name


def _power_limit(device: Device) -> str:
    return "unknown" if device.power_limit_w is None else f"{device.power_limit_w:g} W"


def _role(device: Device) -> str:
    return device.role or "none"
