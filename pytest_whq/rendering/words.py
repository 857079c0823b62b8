"""What every renderer says in the same words: tests, rigs, budgets, what is wrong."""

from collections import Counter
from collections.abc import Sequence

from pytest_whq.model import (
    BUDGET_OUTCOMES,
    COMPARISON_OUTCOMES,
    METRICS,
    BudgetVerdict,
    Device,
    Measurement,
    Rig,
    Run,
    format_metric,
)
from pytest_whq.model.reasons import NO_INTERVAL
from pytest_whq.units import format_percent, format_quantity

SCOPES = {
    "gpu": "GPU board",
    "gpu+cpu": "GPU boards and CPU",
    "module": "module (CPU + GPU)",
    "cpu": "CPU",
    "node": "whole node",
    "all-in": "all-in: GPU, server, hall",
}
"""Scope of a rig -> what its joules cover."""


class _Shown(dict[int, str]):
    """What stands for each character, found when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        escape = character.encode("unicode_escape").decode("ascii")
        self[code] = character if character.isprintable() else escape
        return self[code]


_SHOWN = _Shown()


def one_line(text: str) -> str:
    """``text`` with everything that is not printable as an escape, so that it steers nothing that shows it.

    No terminal obeys it, nor does GitHub, whose workflow commands are printable: ``::error::`` where a line
    begins, ``##[error]`` anywhere.
    """
    if not text.isprintable():
        text = text.translate(_SHOWN)
    if text.lstrip().startswith("::"):
        text = text.replace("::", r"\x3a:", 1)
    return text.replace("##[", r"#\x23[")


def printable(text: str) -> str:
    """``text``, which may have several lines, each of them as `one_line` has it: what leaves is this."""
    return "\n".join(map(one_line, text.split("\n")))


def devices_phrase(devices: Sequence[Device]) -> str:
    """The devices with their power limits: ``8 x NVIDIA H200, 700 W limit each``."""
    kinds = Counter((device.name, device.power_limit_w) for device in devices)
    return " + ".join(_kind(name, limit_w, n) for (name, limit_w), n in kinds.items()) or "no device"


def device_names(devices: Sequence[Device]) -> str:
    """The devices by their names alone: ``8 x NVIDIA H200``."""
    names = Counter(device.name for device in devices)
    return " + ".join(
        f"{f'{number} x ' if number > 1 else ''}{one_line(name)}" for name, number in names.items()
    )


def _kind(name: str, limit_w: float | None, number: int) -> str:
    several = number > 1
    limit = "" if limit_w is None else f", {format_quantity(limit_w, 'W')} limit{' each' if several else ''}"
    return f"{f'{number} x ' if several else ''}{one_line(name)}{limit}"


def rig_phrase(rig: Rig, methods: Sequence[str]) -> str:
    """What measured what, how and how much of it; ``methods`` are those of the records."""
    how = " and ".join(method for method in methods if method != rig.source)
    source = f"{one_line(rig.source or 'no source')} {how}".rstrip()
    scope = "scope not stated" if rig.scope is None else SCOPES.get(rig.scope, one_line(rig.scope))
    return f"{devices_phrase(rig.devices)} · {source} · gross, {scope}"


def run_rig_phrase(run: Run) -> str:
    """`rig_phrase` of the run's rig, with the methods of its records."""
    methods = dict.fromkeys(record.measurement.method for record in run.records)
    return rig_phrase(run.rig, [method for method in methods if method])


NOT_MEASURED = "not measured"
FAILED_BEFORE = "failed without a figure"
INTERRUPTED = "interrupted"
FAILING_BY_POLICY = "failing by a policy"


def counts_of(run: Run) -> dict[str, int]:
    """How many tests have a figure, and how many of them are not as they should be: what -> number."""
    methods = [one.measurement.method for one in run.records if one.measurement.why_unmeasured is None]
    modelled = methods.count("modelled")
    measured = len(methods) - modelled
    outcomes = [{verdict.outcome for verdict in record.budgets} for record in run.records]
    compared = Counter(record.comparison.outcome for record in run.records if record.comparison)
    numbers = {
        NOT_MEASURED: len(run.records) - len(methods),
        FAILED_BEFORE: sum(gap.kind == "failed_before" for gap in run.gaps),
        INTERRUPTED: run.tests_interrupted,
        FAILING_BY_POLICY: sum(
            record.comparison.fails_by_policy for record in run.records if record.comparison
        ),
        **{
            meaning.counted: sum(outcome in found for found in outcomes)
            for outcome, meaning in BUDGET_OUTCOMES.items()
            if meaning.counted
        },
        **{
            meaning.counted: compared[outcome]
            for outcome, meaning in COMPARISON_OUTCOMES.items()
            if meaning.counted
        },
    }
    figures = {"modelled": modelled} if modelled else {}
    if measured or not modelled:
        figures = {"measured": measured, **figures}
    return figures | {what: number for what, number in numbers.items() if number}


def counts_phrase(run: Run) -> str:
    """`counts_of` in words: ``2 measured, 1 regressed``."""
    return ", ".join(f"{number} {what}" for what, number in counts_of(run).items())


def spread(measurement: Measurement) -> float | None:
    """Half of the 95 % interval of Wh/query, as a share of it; None where it is not known."""
    value = measurement.wh_per_query
    if not value:
        return None
    if (bounds := measurement.interval95.get("wh_per_query")) is not None:
        return (bounds[1] - bounds[0]) / 2 / value
    if any(reason.sentence.startswith(NO_INTERVAL) for reason in measurement.reasons):
        # How little the reading is off says nothing of how far another round would be.
        return None
    if measurement.uncertainty_j is None or not measurement.energy_j or measurement.is_modelled:
        return None
    return 2 * measurement.uncertainty_j / measurement.energy_j


def budget_phrase(verdicts: Sequence[BudgetVerdict]) -> str:
    """How far the tightest budget is used, and whether it fails; empty where there is none."""
    verdict = tightest_budget(verdicts)
    use = budget_use(verdicts)
    return f"{use}, {verdict.outcome}" if verdict is not None and verdict.fails and verdict.settled else use


def budget_use(verdicts: Sequence[BudgetVerdict]) -> str:
    """How far the tightest budget is used, failing ones first; empty where there is none."""
    verdict = tightest_budget(verdicts)
    if verdict is None:
        return ""
    limit = f"{format_metric(verdict.metric, verdict.limit)}{per_phrase(verdict.metric)}"
    if verdict.value is None or not verdict.settled:
        return f"{verdict.outcome.replace('_', ' ')}: {limit}"
    return f"{format_percent(verdict.value / verdict.limit)} of {limit}"


def per_phrase(metric: str) -> str:
    """What stands after a figure of ``metric`` to say of what it is; empty for Wh/query, the headline."""
    row = METRICS[metric]
    if row.counts_tokens:
        return f"/{row.per}" if row.items == 1 else f"/{row.items:,} {row.per}s"
    return {"query": " net" if row.joules == "net" else "", "whole": " in all"}.get(row.per, " on average")


def tightest_budget(verdicts: Sequence[BudgetVerdict]) -> BudgetVerdict | None:
    """The verdict on the budget that is used most, failing ones first; None where there is none."""
    return max(verdicts, key=_tightness, default=None)


def _tightness(verdict: BudgetVerdict) -> tuple[bool, bool, float]:
    used = 0.0 if verdict.value is None or not verdict.limit else verdict.value / verdict.limit
    return verdict.fails, verdict.applies, used
