"""The sheet itself, as JSON: its fields have the names of `pytest_whq.footprint.sheet.Sheet`."""

from typing import Any

from pytest_whq.footprint.left_out import left_out
from pytest_whq.footprint.sheet import SHEET_FORMAT, Sheet
from pytest_whq.storing.plain_data import json_of, plain


def render(sheet: Sheet) -> str:
    """``sheet`` as a JSON document, with what it leaves out."""
    return f"{json_of(document_of(sheet), indent=1)}\n"


def document_of(sheet: Sheet) -> dict[str, Any]:
    """``sheet`` in the types of JSON."""
    document = {"sheet": SHEET_FORMAT, **plain(sheet)}
    missing = left_out(document) or ()
    return {**document, "left_out": {item.name: item.asked for item in missing}}
