"""What must not be lost to a file that is written in its place."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ANOTHER = "another report is"
"""Why a report cannot have the path of one that is written beside it."""

_SOURCES = frozenset({".py", ".pyi", ".toml", ".ini", ".cfg"})
_RESULTS = re.compile(rb'\s*\{\s*"format"\s*:\s*\d+\s*,\s*"(\w+)"')
_HEAD = 200


def why_kept(path: Path, taken: Iterable[tuple[Path, str]] = (), *, is_run: bool = False) -> str | None:
    """Why nothing may be written to ``path``, as the end of a sentence; None where it may.

    ``taken`` are other files of the same command, each with why it stays, whatever link leads there. What
    people write stays, and so do results: a run may take the place of one, which ``is_run`` says this is.
    """
    if (why := next((why for other, why in taken if _is_same(path, other)), None)) is not None:
        return why
    if not os.path.isfile(path):
        return None
    if (suffix := Path(os.path.realpath(path)).suffix.lower()) in _SOURCES:
        return f"it is a {suffix} file that is there, and no report"
    held = _held_by(path)
    if held == b"runs":
        return "it holds a baseline"
    return None if held is None or is_run else "it holds a run, and this would be another report"


def _is_same(one: Path, other: Path) -> bool:
    with suppress(ValueError):  # A text that is no path.
        with suppress(OSError):  # One of them is not there yet.
            return os.path.samefile(one, other)
        return os.path.realpath(one) == os.path.realpath(other)
    return False


def _held_by(path: Path) -> bytes | None:
    """What the results at ``path`` begin with, behind their format; None where it holds no results."""
    try:
        with path.open("rb") as file:
            found = _RESULTS.match(file.read(_HEAD))
    except OSError:
        return None
    return None if found is None else found[1]
