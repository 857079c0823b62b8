"""The formats of files as JSON Schemas, made of the readers, so of the hints from which those are made."""

import json
from collections.abc import Mapping
from typing import Any

from pytest_whq.storing.baseline_file import BASELINE_FORMAT, read_document
from pytest_whq.storing.runfile import RUN_FORMAT, read_run_fields

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run_schema() -> dict[str, Any]:
    """The schema of a run file: what it takes is read, but for figures that contradict each other."""
    return _document("A run of pytest-whq", read_run_fields.schema, RUN_FORMAT)


def baseline_schema() -> dict[str, Any]:
    """The schema of a baseline: what it takes is read, but for a test that stands twice in one run."""
    return _document("A baseline of pytest-whq", read_document.schema, BASELINE_FORMAT)


def schema_as_json(schema: Mapping[str, Any]) -> str:
    """``schema`` as the text of its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _document(title: str, schema: Mapping[str, Any], version: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    whole = _with_references({**schema, "title": title}, found, is_root=True)
    whole["properties"] = {"format": None, **whole["properties"]} | {"format": {"const": version}}
    whole["required"] = list(dict.fromkeys(["format", *whole["required"]]))
    return {"$schema": _DIALECT, **whole, "$defs": found}


def _with_references(schema: Any, found: dict[str, Any], *, is_root: bool = False) -> Any:
    """``schema`` in which each object with a title is a reference to ``found``, where it then stands.

    Of two of one title that differ, such as a comparison and the one inside of it, the later stays in place.
    """
    if isinstance(schema, list | tuple):
        return [_with_references(item, found) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    whole = {key: _with_references(item, found) for key, item in schema.items()}
    title = whole.get("title")
    if is_root or not isinstance(title, str) or found.setdefault(title, whole) != whole:
        return whole
    return {"$ref": f"#/$defs/{title}"}
