"""Values of other tools' objects, read with bounds: what is absent is None, what is absurd a `CellError`."""

import math
from collections.abc import Mapping
from typing import Any

from pytest_whq.importing.power.clock import EARLIEST_S, LATEST_S

LARGEST = 1e15
"""No figure of a benchmark is above this, nor one that must be above 0 below its inverse.

A run file has room for all of it. Nanoseconds of the epoch have a reader of their own.
"""


class CellError(Exception):
    """A value that no such result can have; its message ends a sentence that begins with the place."""


class Cells:
    """An object of a tool's file, read by name; the first of several names that is there counts."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def first(self, *names: str) -> Any:
        """What stands under the first of ``names`` that is there, None where none is."""
        return next((found for name in names if (found := self._value.get(name)) is not None), None)

    def number(self, *names: str) -> float | None:
        """A number from 0 up; CellError where it is negative or absurd."""
        for name in names:
            found = self._value.get(name)
            if found is not None:
                return number_in(found, name)
        return None

    def above_zero(self, *names: str) -> float | None:
        """A number above 0; CellError where it is not."""
        found = self.number(*names)
        if found is not None and found < 1 / LARGEST:
            raise CellError(f"has {' or '.join(names)} of {found:g}, which cannot be")
        return found

    def moment_s(self, *names: str) -> float | None:
        """Seconds of the Unix epoch; CellError where nobody can have measured then."""
        found = self.number(*names)
        if found is not None and not EARLIEST_S <= found <= LATEST_S:
            raise CellError(f"has {' or '.join(names)} of {found:.0f}, which is no time of a benchmark")
        return found

    def count(self, *names: str) -> int | None:
        """A whole number from 0 up; CellError where it is none."""
        found = self.number(*names)
        if found is not None and found != int(found):
            raise CellError(f"has {' or '.join(names)} of {found:g}, which is no whole number")
        return None if found is None else int(found)

    def text(self, *names: str) -> str | None:
        """Text on one line, None where it is empty or no text."""
        found = self.first(*names)
        return " ".join(found.split())[:200] or None if isinstance(found, str) else None

    def flag(self, *names: str) -> bool | None:
        """True or false, also where it is written as a word or as 0 and 1."""
        found = self.first(*names)
        if isinstance(found, str):
            return {"true": True, "false": False}.get(found.lower())
        return None if found is None or found not in (0, 1) else bool(found)

    def inside(self, *names: str) -> "Cells":
        """The object at the end of a path of names; empty where it is not there."""
        value: Any = self._value
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return Cells(value if isinstance(value, Mapping) else {})

    def items(self) -> list[Any]:
        """Names and values."""
        return list(self._value.items())


def number_in(value: Any, name: str) -> float:
    """``value`` as a finite number from 0 up; CellError, which names it, where it is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise CellError(f"has {name} of {value[:40]!r}, which is no number") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise CellError(f"has {name} of {str(value)[:40]}, which is no number")
    if not 0 <= value <= LARGEST:
        told = f"{value:g}" if isinstance(value, float) else str(value)[:40]
        raise CellError(f"has {name} of {told}, which cannot be")
    return float(value)


def _is_finite(value: float) -> bool:
    # As a float a whole number may be too large even to be looked at.
    return isinstance(value, int) or math.isfinite(value)


def seconds(milliseconds: float | None) -> float | None:
    """Seconds in ``milliseconds``, the unit of most tools' times."""
    return None if milliseconds is None else milliseconds / 1e3
