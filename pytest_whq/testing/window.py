"""One window on any power source, as a test of a session opens it."""

from collections.abc import Callable

from pytest_whq.measuring.clock import Clock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.sources.base import PowerSource


def measured_window(
    source: PowerSource,
    clock: Clock,
    body: Callable[[], object],
    *,
    tokens: TokenCount = TokenCount(),  # noqa: B008 - frozen
    precision: float = 0.02,
    idle_ok: bool = False,
) -> Measurement:
    """What ``source`` measures while ``body`` runs, in the time of ``clock``; the source stays open.

    The body is one query, of ``tokens`` where the test tells them; an exception out of it passes through,
    and nothing is measured. ``precision`` is the ratio above which the energy counts as
    imprecise. With ``idle_ok`` a device may do nothing: it may draw what it drew before and after.
    """
    meter = Meter(clock, Sampler(source, clock))
    try:
        wait(clock, meter.open())
        meter.begin()
        body()
        meter.tally.succeed(tokens)
        meter.end()
        wait(clock, meter.close())
    except BaseException:
        meter.abandon()
        raise
    return meter.measurement(precision=precision, idle_ok=idle_ok)
