"""What follows from a comparison: which outcomes fail or warn, and the sentences. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, cast, get_args

from pytest_whq.errors import SettingError
from pytest_whq.model import Commit, Comparison, Record, Run, format_metric
from pytest_whq.units import format_percent

Policy = Literal["pass", "warn", "fail"]

_NOTABLE_SHIFT = 0.01


@dataclass(frozen=True, slots=True)
class Policies:
    """What follows where a figure could not be judged.

    ``no_baseline`` where there is none at all; the others by the outcome of the comparison.
    ``not_measured`` warns where a source was taken that happened to work: see `WHERE_NAMED`.
    """

    no_baseline: Policy = "warn"
    new: Policy = "warn"
    not_comparable: Policy = "warn"
    inconclusive: Policy = "warn"
    not_measured: Policy = "warn"

    def applied(self, comparison: Comparison) -> Comparison:
        """``comparison``, which says itself whether it fails its test by its policy."""
        return replace(comparison, fails_by_policy=self._policy(comparison) == "fail")

    def applied_to(self, run: Run) -> Run:
        """``run`` whose comparisons say what these policies make of them."""
        records = (
            record
            if (found := record.comparison) is None
            else replace(record, comparison=self.applied(found))
            for record in run.records
        )
        return replace(run, records=tuple(records))

    def warns(self, comparison: Comparison) -> bool:
        """Whether ``comparison`` is to be warned of."""
        return self._policy(comparison) == "warn"

    def _policy(self, comparison: Comparison) -> Policy | None:
        policy: Policy | None = getattr(self, comparison.outcome, None)
        return policy


WHERE_NAMED = Policies(not_measured="fail")
"""Those where the user says what measures, or which run is judged: what then has no figure is amiss."""


def policies_from(texts: Iterable[str], where: str, policies: Policies) -> Policies:
    """``policies`` but for what ``CASE=POLICY`` texts change; a SettingError begins with ``where``."""
    for text in texts:
        case, _, policy = (part.strip() for part in text.partition("="))
        if case not in _CASES or policy not in _POLICIES:
            raise SettingError(
                f"{where} cannot be {text!r}: it is CASE=POLICY, of {', '.join(_CASES)} "
                f"and {', '.join(_POLICIES)}."
            )
        policies = replace(policies, **{case: _POLICIES[policy]})
    return policies


_POLICIES: Mapping[str, Policy] = {policy: policy for policy in get_args(Policy)}
_CASES = tuple(field.name for field in fields(Policies))


def regression_sentence(comparison: Comparison, value: float | None) -> str:
    """What a comparison says, in one sentence; ``value`` is the figure that was compared."""
    metric = comparison.metric
    if comparison.lacks_figure:
        return f"{metric} was not measured, though the baseline has this test: {comparison.why}."
    limit = f"{format_percent(comparison.limit or 0.0)} allowed ({comparison.origin})"
    if comparison.change is None or comparison.interval95 is None:
        return f"{metric} cannot be compared with its baseline: {_why_not(comparison)}."
    low, high = (format_percent(end, signed=True) for end in comparison.interval95)
    sentence = (
        f"{metric} is {format_metric(metric, value)}, "
        f"{format_percent(comparison.change, signed=True)} ({low} to {high}) from its baseline of "
        f"{format_metric(metric, comparison.baseline)} ({_origin(comparison)})"
    )
    if comparison.meaning.fails:
        sentence = f"{sentence}, more than the {limit}"
    elif not comparison.meaning.settled:
        sentence = f"{sentence}, too noisy to tell from the {limit}: {comparison.why}"
    return f"{'; '.join([sentence, *_hints(comparison)])}."


def _why_not(comparison: Comparison) -> str:
    if comparison.is_new:
        return comparison.why or "the baseline does not have this test; accept it to make one"
    return "; ".join(comparison.differences) or (comparison.why or "the reason is not stored")


def _origin(comparison: Comparison) -> str:
    """The runs behind a baseline: ``3 runs, the last of 2026-11-23, commit c0ffee1``."""
    runs = comparison.runs or 1
    number = "1 run" if runs == 1 else f"{runs} runs"
    when = (
        ""
        if comparison.created is None
        else f"{'of' if runs == 1 else 'the last of'} {comparison.created[:10]}"
    )
    told = f"{number}{' ' if runs == 1 else ', '}{when}" if when else number
    return f"{told}, {_commit(comparison.commit)}" if comparison.commit else told


def _commit(commit: Commit) -> str:
    return f"commit {commit.id[:7]}{' with changes' if commit.dirty else ''}"


def _hints(comparison: Comparison) -> Iterator[str]:
    if comparison.likely_cause is not None:
        yield f"likely cause: {comparison.likely_cause}"
    beside = comparison.per_token
    if beside is not None and beside.change is not None:
        change = format_percent(beside.change, signed=True)
        yield f"{beside.metric} {beside.meaning.said} ({change})"


_NOBODY: Mapping[str, str] = {}


def warning_lines(
    records: Sequence[Record], policies: Policies, left_out: Mapping[str, str] = _NOBODY
) -> list[str]:
    """A line for each thing that is warned of, with how many tests it concerns.

    ``left_out`` is by test why a baseline would not take it.
    """
    tests: dict[str, int] = {}
    for record in records:
        comparison = record.comparison
        why_out = left_out.get(record.test)
        for what in _warnings(comparison, policies, why_out) if comparison is not None else ():
            tests[what] = tests.get(what, 0) + 1
    lines = [f"{number} test{'' if number == 1 else 's'} {what}" for what, number in tests.items()]
    shifts = {record.comparison.shift for record in records if record.comparison is not None} - {None}
    return [*_shift_lines(cast("set[float]", shifts)), *lines]


_ACCEPT = ": accept with --whq-update-baseline or whq accept"


def _shift_lines(shifts: set[float]) -> Iterator[str]:
    """What moved all tests together is told once, where it is worth a sentence."""
    largest = max(shifts, key=abs, default=0.0)
    if abs(largest) >= _NOTABLE_SHIFT:
        yield (
            f"all tests together moved by {format_percent(largest, signed=True)} from their baselines, "
            "as on a warmer machine: each is judged by what is beyond that"
        )


def _warnings(comparison: Comparison, policies: Policies, why_out: str | None) -> Iterator[str]:
    if policies.warns(comparison):
        outcome = comparison.meaning.said
        if comparison.is_new:
            hint = f", and cannot be accepted: {why_out}" if why_out else _ACCEPT
            yield f"{outcome}, not in the baseline{f': {comparison.why}' if comparison.why else hint}"
        elif comparison.outcome == "not_comparable":
            yield f"{outcome} with the baseline: {_why_not(comparison)}"
        elif comparison.lacks_figure:
            yield f"{outcome}, though in the baseline: {comparison.why}"
        else:
            yield f"{outcome}: {comparison.why}"
    if comparison.meaning.settled and comparison.differences:
        yield f"compared with a baseline of {'; '.join(comparison.differences)}"
    beside = comparison.per_token
    if beside is not None and beside.meaning.fails and not comparison.meaning.fails:
        yield "with more energy per output token than the baseline, though not per query"
