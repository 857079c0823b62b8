"""How a power curve is read from plain data."""

from typing import Any

from pytest_whq.model import PowerCurve
from pytest_whq.storing.fields import (
    LARGEST_NUMBER,
    FieldError,
    interval,
    list_of,
    number,
    optional,
    shown,
    signed,
    taking,
)
from pytest_whq.storing.hints import dataclass_of

MOST_STEPS = 1000
"""A longer curve is not one that this package wrote, and too much for a page."""

# By type and not by isinstance: True is an int.
_WATTS = {float, int, type(None)}


@taking(type="number", exclusiveMinimum=0, maximum=LARGEST_NUMBER)
def _step(value: Any) -> float:
    if (seconds := number(value)) == 0:
        raise FieldError(f"is {shown(value)}, but must be a number above 0")
    return seconds


@taking(type="array", maxItems=MOST_STEPS, items=optional(number).schema)
def _watts(value: Any) -> tuple[float | None, ...]:
    # As a whole, not one by one: these are most of the numbers of a file.
    if type(value) is not list or not set(map(type, value)) <= _WATTS or len(value) > MOST_STEPS:
        raise FieldError(f"is {shown(value)}, but must be a list of at most {MOST_STEPS} numbers or nulls")
    known = [watts for watts in value if watts is not None]
    # The sum is what finds a NaN, which is neither below nor above a bound.
    if known and not (min(known) >= 0 and sum(known) <= LARGEST_NUMBER):
        raise FieldError(f"is {shown(value)}, but its numbers must be finite and from 0 up")
    return tuple(value)


read_curve = dataclass_of(
    PowerCurve, {"start_s": signed, "step_s": _step, "power_w": _watts, "windows_s": list_of(interval)}
)
"""A reader of a `PowerCurve`."""
