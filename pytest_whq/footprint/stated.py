"""A quantity as users state it: a number, its unit, and in parentheses who says so and of when."""

import re
from dataclasses import dataclass

AS_GIVEN = "as given"
"""The source of a number of which the user says no more."""

_SHAPE = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[^\s\d(][^(]*?)?\s*(?:\((?P<note>.*)\))?\s*",
    re.IGNORECASE,
)
_LONGEST = 200
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Stated:
    """A number with its unit, empty where it has none, and of which year and by whom it is."""

    value: float
    unit: str
    year: int | None
    source: str


def read_stated(text: str) -> Stated | None:
    """What ``31 JPY/kWh (contract, 2025)`` states; None where it begins with no number."""
    found = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    note = found["note"] or ""
    year = _YEAR.search(note)
    source = " ".join(_YEAR.sub("", note).split()).strip(" ,;")
    return Stated(
        value=float(found["number"]),
        unit=found["unit"] or "",
        year=None if year is None else int(year[0]),
        source=source or AS_GIVEN,
    )


def quoted(text: str) -> str:
    """``text`` as a message can hold it: printable, in quotes, shortened."""
    written = repr(text)
    return written if len(written) <= 60 else f"{written[:57]}..."
