"""Values of the model in the types of JSON, and these as text."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def plain(value: Any) -> Any:
    """``value`` in the types of JSON: dataclasses and mappings as dict, tuples as list."""
    if type(value) in _SCALARS:
        return value
    if (names := _field_names(value)) is not None:
        # Nearly every field holds a scalar, which needs no call.
        return {
            name: item if type(item := getattr(value, name)) in _SCALARS else plain(item) for name in names
        }
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, float | int | str):
        return value
    # Most numbers of a record are in one long list of them.
    return list(value) if _SCALARS.issuperset(map(type, value)) else [plain(item) for item in value]


_SCALARS = frozenset({float, int, str, bool, type(None)})
_FIELD_NAMES: dict[type[Any], tuple[str, ...] | None] = {}


def json_of(data: Any, *, indent: int | None = None, separators: tuple[str, str] | None = None) -> str:
    """Plain data as JSON; ValueError where a number in it is not finite.

    A job of GitHub that shows it finds no command for itself in it.
    """
    # ASCII, because a test id can hold half a surrogate pair, which UTF-8 cannot.
    text = json.dumps(data, indent=indent, separators=separators, allow_nan=False)
    return text.replace("##[", r"#\u0023[")


def _field_names(value: Any) -> tuple[str, ...] | None:
    """The names of a dataclass's fields, None for any other value."""
    cls = type(value)
    if cls not in _FIELD_NAMES:
        _FIELD_NAMES[cls] = tuple(field.name for field in fields(cls)) if is_dataclass(cls) else None
    return _FIELD_NAMES[cls]
