"""What a report on a page says of each record: one row, in plain text that its page still escapes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from pytest_whq.judging.budgets import failing_sentence
from pytest_whq.judging.policies import regression_sentence
from pytest_whq.model import BUDGET_OUTCOMES, Comparison, Place, Record, Rig, Run, format_metric
from pytest_whq.model.verdicts import Tone
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.places.amounts import amounts_at
from pytest_whq.rendering.words import INTERRUPTED, budget_use, one_line, spread
from pytest_whq.units import Prefix, format_percent, format_percent_range, prefix_for

TONES = get_args(Tone)
"""The tones of a `Row`, the one to look at first before the others."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record in words; what there is nothing to say of is empty.

    ``share`` is the ratio that ``spread`` tells. ``tone`` is ``bad`` where a verdict fails, ``unsure``
    where there is no verdict to rely on, else ``good`` or ``plain``; ``change_tone`` is that of the
    comparison alone. ``failures`` are the verdicts that fail, and ``notes`` what else there is to know,
    each in a sentence without its full stop.
    ``footprint`` has the amounts of `pytest_whq.rendering.places.amounts.TITLES`. All text is printable, and
    none of it is escaped for any page.
    """

    record: Record
    name: str
    value: str
    spread: str
    share: float | None
    baseline: str
    change: str
    change_tone: Tone
    interval: str
    budget: str
    verdict: str
    tone: Tone
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    footprint: tuple[str, ...]

    @property
    def is_judged(self) -> bool:
        """Whether a figure was held against a limit or a baseline, and there is an answer."""
        comparison = self.record.comparison
        settled = comparison is not None and comparison.meaning.settled
        return settled or any(verdict.settled for verdict in self.record.budgets)


def rows_of(run: Run) -> list[Row]:
    """The rows of a run: those that fail first, then those without a verdict, each in their order."""
    names = short_names([record.test for record in run.records])
    # One prefix for all figures that are compared with one another: µWh below mWh look larger.
    known = (record.measurement for record in run.records if record.measurement.why_unmeasured is None)
    prefix = prefix_for([value for one in known if (value := one.wh_per_query)])
    rows = [_row(record, name, run, prefix) for record, name in zip(run.records, names, strict=True)]
    return sorted(rows, key=lambda row: min(TONES.index(row.tone), TONES.index("good")))


def _row(record: Record, name: str, run: Run, prefix: Prefix) -> Row:
    measured = record.measurement.why_unmeasured is None
    share = spread(record.measurement) if measured else None
    comparison = record.comparison
    verdict = _verdict(record, measured)
    return Row(
        record=record,
        name=name,
        value=format_metric("wh_per_query", record.measurement.wh_per_query, prefix) if measured else "",
        spread="" if share is None else f"± {format_percent(share)}",
        share=share,
        baseline=_baseline(comparison, prefix),
        change=_change(comparison),
        change_tone=_change_tone(comparison),
        interval=_interval(comparison),
        budget=budget_use(record.budgets),
        verdict=verdict,
        tone=_tone(record, measured),
        failures=tuple(map(_said, _failures(record, run.rig))),
        notes=tuple(map(_said, _notes(record))),
        footprint=amounts_at(run.place or Place(), record),
    )


def _baseline(comparison: Comparison | None, prefix: Prefix) -> str:
    if comparison is None or comparison.baseline is None:
        return ""
    same = comparison.metric == "wh_per_query"
    return format_metric(comparison.metric, comparison.baseline, prefix if same else None)


def _change(comparison: Comparison | None) -> str:
    if comparison is None or comparison.change is None:
        return ""
    return format_percent(comparison.change, signed=True)


def _change_tone(comparison: Comparison | None) -> Tone:
    if comparison is None:
        return "plain"
    return "bad" if comparison.fails else comparison.meaning.tone


def _interval(comparison: Comparison | None) -> str:
    if comparison is None or comparison.interval95 is None:
        return ""
    return format_percent_range(*comparison.interval95)


def _verdict(record: Record, measured: bool) -> str:
    outcomes = {verdict.outcome for verdict in record.budgets}
    said = [] if measured else ["not measured"]
    said += [
        meaning.said for outcome, meaning in BUDGET_OUTCOMES.items() if meaning.fails and outcome in outcomes
    ]
    if record.comparison is not None:
        said.append(record.comparison.meaning.said)
    if record.failed and not record.verdict_fails:
        said.append("test failed")
    if record.interrupted:
        said.append(INTERRUPTED)
    held = [BUDGET_OUTCOMES[verdict.outcome].said for verdict in record.budgets if verdict.settled]
    return ", ".join(dict.fromkeys(said or held[:1]))


def _tone(record: Record, measured: bool) -> Tone:
    if record.verdict_fails:
        return "bad"
    ended = measured and not record.failed and not record.interrupted
    return _change_tone(record.comparison) if ended else "unsure"


def _failures(record: Record, rig: Rig) -> Iterator[str]:
    for verdict in record.budgets:
        if verdict.fails:
            yield failing_sentence(verdict, record.measurement, rig.devices, rig.source)
    comparison = record.comparison
    if comparison is not None and comparison.fails:
        yield regression_sentence(comparison, record.measurement.metric(comparison.metric))


def _notes(record: Record) -> Iterator[str]:
    reasons = [one.sentence or one.code.replace("_", " ") for one in record.measurement.reasons]
    for why in _whys(record):
        # A verdict that cannot be had for a reason repeats it.
        if not why.rstrip(".").endswith(tuple(reason.rstrip(".") for reason in reasons)):
            yield why
    yield from reasons
    yield from record.measurement.notes


def _whys(record: Record) -> Iterator[str]:
    for verdict in record.budgets:
        if verdict.why is not None:
            yield f"{verdict.metric}: {verdict.why}"
    if record.comparison is not None:
        yield from _comparison_notes(record.comparison)


def _comparison_notes(comparison: Comparison) -> Iterator[str]:
    if comparison.why is not None:
        yield comparison.why
    if comparison.differences:
        yield f"not the same rig: {'; '.join(comparison.differences)}"
    if comparison.likely_cause is not None:
        yield f"likely cause: {comparison.likely_cause}"
    other = comparison.per_token
    if other is not None and other.change is not None:
        change = format_percent(other.change, signed=True)
        yield f"per output token: {change}, {other.meaning.said}"


def _said(sentence: str) -> str:
    return one_line(sentence.rstrip("."))


def baseline_phrase(records: Sequence[Record]) -> str:
    """Which runs the records were compared with, the latest of them; empty where with none."""
    compared = [one for record in records if (one := record.comparison) and one.created]
    found = Counter((one.created, one.commit, one.runs) for one in compared)
    if not found:
        return ""
    created, commit, runs = max(found, key=lambda one: (one[0] or "", found[one]))
    number = "" if runs is None else f"{runs} run{'' if runs == 1 else 's'}, latest "
    at = "" if commit is None else f"{commit_phrase(commit.id, commit.branch, commit.dirty)}, "
    others = f" (other tests: {len(found) - 1} others)" if len(found) > 1 else ""
    return f"{number}{at}{one_line(created or '')[:10]}{others}"


def commit_phrase(id_: str, branch: str | None, dirty: bool) -> str:
    """A commit: ``1a2b3c4d5e on main, with changes``."""
    on = "" if branch is None else f" on {one_line(branch)}"
    return f"{one_line(id_[:10])}{on}{', with changes' if dirty else ''}"


_DAY = len("2026-11-23")


def measured_phrase(run: Run) -> str:
    """When and of which commit the run was made."""
    from_ = run.measured_from
    if from_ is not None and len(from_) == _DAY:
        made = f"measured {from_}"
    else:
        made = f"{'imported' if from_ is None else 'measured'} {run.created[:16].replace('T', ' ')} UTC"
    commit = run.commit
    at = "" if commit is None else f" at {commit_phrase(commit.id, commit.branch, commit.dirty)}"
    return f"{made}{at}, {one_line(run.tool)}"
