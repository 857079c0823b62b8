"""Where a long measurement is, in a few words for whoever waits for it."""

from pytest_whq.calling.load_plan import LoadPlan
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.units import format_percent, format_seconds


def rounds_said(meter: Meter, plan: Plan, elapsed_s: float) -> str:
    """How many rounds are done, how long they may still go on, and how sure their mean is so far."""
    done = len(meter.spans)
    width = meter.half_width95()
    sure = "" if width is None else f", ± {format_percent(width)}"
    if plan.rounds is not None:
        return f"round {done} of {plan.rounds}, {format_seconds(elapsed_s)}{sure}"
    return f"round {done}, {format_seconds(elapsed_s)} of {format_seconds(plan.max_seconds)} at most{sure}"


def load_said(plan: LoadPlan, ended: int, elapsed_s: float) -> str:
    """How many queries of a load have ended, and of how many or how long it is."""
    whole = "" if plan.queries is None else f" of {plan.queries:,}"
    until = "" if plan.seconds is None else f" of {format_seconds(plan.seconds)}"
    return f"{ended:,}{whole} queries, {format_seconds(elapsed_s)}{until}"
