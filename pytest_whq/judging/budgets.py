"""Budgets: which one applies to a measured test, whether it holds, and the sentence when not."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_whq.judging.max_failed import MaxFailed
from pytest_whq.model import METRICS, BudgetOutcome, BudgetVerdict, Device, Measurement, format_metric
from pytest_whq.units import format_percent


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that ``metric`` may be, in the unit of its name, for the tests and hardware it names.

    ``tests`` and ``hardware`` are globs on the whole node id and the whole device name, in which
    only ``*`` and ``?`` are wild: ``tests/test_chat.py::test_short[gpt-oss]`` means that test.
    Node ids match by exact case; device names in any, since drivers spell one board in several
    ways. ``estimate`` lets the budget judge estimated figures. ``max_failed`` is how many queries may
    fail, None where it does not say. ``origin`` says where it stands.
    """

    metric: str
    limit: float
    origin: str
    tests: str = "*"
    hardware: str = "*"
    estimate: bool = False
    max_failed: MaxFailed | None = None


def nearest_max_failed(
    test: str, marker: Sequence[Budget], file: Sequence[Budget], otherwise: MaxFailed | None
) -> MaxFailed | None:
    """How many queries of ``test`` may fail: by the nearest budget that says, as in `judge_budgets`."""
    nearest_first = (budget for budget in (*marker, *reversed(file)) if matches(test, budget.tests))
    said = (budget.max_failed for budget in nearest_first if budget.max_failed is not None)
    return next(said, otherwise)


def judge_budgets(
    test: str,
    measurement: Measurement,
    devices: Sequence[Device],
    *,
    marker: Sequence[Budget] = (),
    file: Sequence[Budget] = (),
    caps: Sequence[Budget] = (),
    estimate: bool = False,
) -> tuple[BudgetVerdict, ...]:
    """The verdicts on the test with the node id ``test``, in the order of `METRICS`.

    For each metric the nearest budget for the test and for every one of ``devices`` wins: the
    first of ``marker`` (closest first), else the last of ``file`` (in its order). Where budgets
    are for the test but none is for the hardware, the nearest is ``not_judged``. Hardware that is
    not known (no ``devices``) is taken for the hardware that a budget names, and is ``unmeasured``.
    Each of ``caps`` applies on top, so that a metric can have several verdicts. A figure at its
    limit is ``within``; one that is missing, invalid, or estimated where neither the budget nor
    ``estimate`` (the setting) takes estimates is ``unmeasured``.
    """
    nearest_first = [budget for budget in (*marker, *reversed(file)) if matches(test, budget.tests)]
    verdicts = []
    for metric in METRICS:
        for_test = [budget for budget in nearest_first if budget.metric == metric]
        for_both = [budget for budget in for_test if strange_device(budget.hardware, devices) is None]
        for budget in for_both[:1] or for_test[:1]:
            verdicts.append(_judge(budget, measurement, devices, estimate))
        for cap in caps:
            if cap.metric == metric:
                verdicts.append(_judge(cap, measurement, devices, estimate))
    return tuple(verdicts)


def _judge(
    budget: Budget, measurement: Measurement, devices: Sequence[Device], estimate: bool
) -> BudgetVerdict:
    value = measurement.metric(budget.metric)
    if device := strange_device(budget.hardware, devices):
        why: str | None = f'the budget is for hardware "{budget.hardware}", and this is {device.name}'
        outcome: BudgetOutcome = "not_judged"
    elif why := _why_unmeasured(budget, measurement, devices, estimate):
        value, outcome = None, "unmeasured"
    else:
        outcome = "within" if value is not None and value <= budget.limit else "exceeded"
    return BudgetVerdict(budget.metric, budget.limit, value, outcome, budget.origin, why)


def _why_unmeasured(
    budget: Budget, measurement: Measurement, devices: Sequence[Device], estimate: bool
) -> str | None:
    if reason := measurement.why_invalid(budget.metric):
        return reason.sentence
    value = measurement.metric(budget.metric)
    if value is None or not math.isfinite(value):
        return "the measurement gives no figure for it"
    if not devices and budget.hardware != "*":
        return f'the budget is for hardware "{budget.hardware}", and what was measured is not known'
    if measurement.has("estimated") and not (budget.estimate or estimate):
        return (
            "its figures are estimated, not sensed; to enforce the budget on estimates, "
            "set estimate = true on it, or whq_estimate (--whq-estimate) for all budgets"
        )
    return None


def strange_device(hardware: str, devices: Sequence[Device]) -> Device | None:
    """The first device that a budget for ``hardware``, a glob, is not for."""
    glob = hardware.lower()
    return next((device for device in devices if not matches(device.name.lower(), glob)), None)


def matches(text: str, glob: str) -> bool:
    """Whether the whole of ``text`` matches ``glob``, in which only ``*`` and ``?`` are wild."""
    return fnmatchcase(text, glob.replace("[", "[[]"))


def failing_sentence(
    verdict: BudgetVerdict, measurement: Measurement, devices: Sequence[Device], source: str | None
) -> str:
    """Why a verdict that fails does, in one sentence; ``source`` is the name of the power source."""
    facts = _facts(measurement, devices, source)
    if verdict.value is None:
        limit, why = format_metric(verdict.metric, verdict.limit), (verdict.why or "").rstrip(".")
        return (
            f"{verdict.metric} has a budget of {limit} ({verdict.origin}) "
            f"but was not measured ({facts}): {why}."
        )
    value_text, limit_text = _apart(verdict.metric, verdict.value, verdict.limit)
    over = verdict.value / verdict.limit - 1
    over_text = format_percent(over) if over >= 0.0005 else f"less than {format_percent(0.001)}"
    return (
        f"{verdict.metric} is {value_text}, {over_text} over its budget of {limit_text} "
        f"({verdict.origin}): {facts}."
    )


def _apart(metric: str, *values: float) -> list[str]:
    """The values with their unit, with as many digits as it takes to tell them apart."""
    texts = [format_metric(metric, value) for value in values]
    digits = 4
    while len(set(texts)) < len(set(values)):
        texts = [f"{value:.{digits}g} {METRICS[metric].unit}" for value in values]
        digits += 1
    return texts


def _facts(measurement: Measurement, devices: Sequence[Device], source: str | None) -> str:
    """Queries, tokens, devices and how they were measured, as far as they are known."""
    queries = f"{_known(measurement.queries)} quer{'y' if measurement.queries == 1 else 'ies'}"
    failed = f"{measurement.failed_queries} failed" if measurement.failed_queries else ""
    given, made = measurement.tokens.input_tokens, measurement.tokens.output_tokens
    tokens = f"{_known(given)} input and {_known(made)} output tokens"
    if given is None and made is None:
        tokens = "tokens unknown"
    names = Counter(device.name for device in devices)
    hardware = " + ".join(name if n == 1 else f"{n} x {name}" for name, n in names.items())
    method = " ".join(dict.fromkeys(word for word in (source, measurement.method) if word))
    return ", ".join(fact for fact in (queries, failed, tokens, hardware, method) if fact)


def _known(count: int | None) -> str:
    return "unknown" if count is None else str(count)
