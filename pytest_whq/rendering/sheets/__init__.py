"""The sheet of a run as text: one renderer to a file, and each a row of one table."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_whq.footprint.sheet import Sheet

SHEETS = {
    "markdown": "a page to read",
    "json": "the sheet itself, which whq disclose --check reads",
    "spdx": "an SPDX 3.0.1 document with packages of its AI profile",
    "boamps": "a report in the format of BoAmps, of one test",
}
"""Name of a module here -> what it makes of a sheet, each by its function ``render``."""


def render(name: str, sheet: "Sheet") -> str:
    """``sheet`` as one of `SHEETS`; SettingError where it cannot be told so."""
    text: str = import_module(f"{__name__}.{name}").render(sheet)
    return text
