"""Queries that keep pace with a sensor which looks only part of the time, and sees them all alike. Pure."""

from collections.abc import Iterable

from pytest_whq.joules.spans import Span
from pytest_whq.units import format_seconds

_FEWEST = 4
"""Of the slower of the two in a window: fewer are no pace."""

_DRIFT = 0.25
"""Of a cycle: where they drift by no more against each other over the window, looks see one part of it."""


def pace_notes(span: Span, queries: int, looks_s: Iterable[float]) -> tuple[str, ...]:
    """A sentence, where ``queries``, one after another, kept pace with looks so many seconds apart."""
    if not queries or not span.duration_s:
        return ()
    every_s = span.duration_s / queries
    for look_s in dict.fromkeys(looks_s):
        slower_s, faster_s = max(every_s, look_s), min(every_s, look_s)
        ratio = slower_s / faster_s
        cycles = span.duration_s / slower_s
        if cycles >= _FEWEST and abs(ratio - round(ratio)) * cycles <= _DRIFT:
            sentence = (
                f"a query came every {format_seconds(every_s)}, in step with a sensor that looks only part "
                f"of each {format_seconds(look_s)}: it may have seen the same part of all of them; whq(call) "
                "begins its rounds at ever new phases"
            )
            return (sentence,)
    return ()
