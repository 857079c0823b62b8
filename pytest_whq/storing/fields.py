"""Strict readers of JSON values: each returns what a field holds or raises `FieldError`."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

Reader = Callable[[Any], Any]

# Above these, sums and products of a file's figures could overflow; no machine comes near them.
LARGEST_NUMBER = 1e18
LARGEST_COUNT = 2**53

# By type and not by isinstance: True is an int.
_NUMBERS = frozenset({float, int})


class FieldError(Exception):
    """A value that its field cannot hold: ``path`` leads to it, ``problem`` is the rest of the sentence."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(f"{path or 'it'} {problem}")
        self.problem = problem
        self.path = path

    def inside(self, step: str) -> "FieldError":
        """The same problem, seen from the object or list around it."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return FieldError(self.problem, f"{step}{joint}{self.path}")


def shown(value: object) -> str:
    """``value`` as a message can hold it: as JSON on one line, shortened."""
    written = json.dumps(value, default=repr)
    return written if len(written) <= 60 else f"{written[:57]}..."


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise FieldError(f"is {shown(value)}, but must be a string")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise FieldError(f"is {shown(value)}, but must be true or false")
    return value


def count(value: Any) -> int:
    """A whole number from 0 up."""
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise FieldError(f"is {shown(value)}, but must be a whole number from 0 up")
    return value


def signed(value: Any) -> float:
    """A finite number of either sign."""
    if type(value) in _NUMBERS and -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        return float(value)
    raise FieldError(f"is {shown(value)}, but must be a finite number")


def number(value: Any) -> float:
    """A finite number from 0 up."""
    if type(value) in _NUMBERS and 0 <= value <= LARGEST_NUMBER:
        return float(value)
    raise FieldError(f"is {shown(value)}, but must be a finite number from 0 up")


def interval(value: Any) -> tuple[float, float]:
    """Two finite numbers, the lower one first."""
    if type(value) is not list or len(value) != 2:
        raise FieldError(f"is {shown(value)}, but must be a list of two numbers")
    low, high = _two_numbers(value)
    if low > high:
        raise FieldError(f"is {shown(value)}, but its lower end must come first")
    return low, high


def one_of(words: Collection[str]) -> Reader:
    """A reader of one of a few words."""

    def read(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise FieldError(f"is {shown(value)}, but must be one of {', '.join(words)}")
        return value

    return read


def optional(reader: Reader) -> Reader:
    """A reader of null, or of what ``reader`` reads."""
    return lambda value: None if value is None else reader(value)


def list_of(reader: Reader) -> Callable[[Any], tuple[Any, ...]]:
    """A reader of a list, each of its items read by ``reader``."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise FieldError(f"is {shown(value)}, but must be a list")
        items = []
        for index, item in enumerate(value):
            try:
                items.append(reader(item))
            except FieldError as wrong:
                raise wrong.inside(f"[{index}]") from None
        return tuple(items)

    return read


_two_numbers = list_of(signed)


def mapping_of(reader: Reader, keys: Collection[str]) -> Callable[[Any], dict[str, Any]]:
    """A reader of an object that has some of ``keys`` and no other field."""
    return object_of(dict.fromkeys(keys, reader), may_lack=keys)


def counts_by_name(value: Any) -> dict[str, int]:
    """An object of any fields, each a whole number from 0 up."""
    if type(value) is not dict:
        raise FieldError(f"is {shown(value)}, but must be an object")
    return object_of(dict.fromkeys(value, count))(value)


def object_of(
    readers: Mapping[str, Reader], may_lack: Collection[str] = ()
) -> Callable[[Any], dict[str, Any]]:
    """A reader of an object with a field for each of ``readers`` and no other."""
    expected = readers.keys()
    required = expected - set(may_lack)
    steps = tuple(readers.items())

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise FieldError(f"is {shown(value)}, but must be an object")
        names = value.keys()
        if names != expected and not required <= names <= expected:
            raise _wrong_names(value, expected, required)
        found = {}
        try:
            for name, reader in steps:
                if name in value:
                    found[name] = reader(value[name])
        except FieldError as wrong:
            raise wrong.inside(name) from None
        return found

    return read


def _wrong_names(
    value: Mapping[str, Any], expected: Collection[str], required: Collection[str]
) -> FieldError:
    for name in value:
        if name not in expected:
            return FieldError("is not a field of this format", shown(name)[1:-1])
    missing = next(name for name in expected if name in required and name not in value)
    return FieldError("is missing", missing)


def dataclass_of(
    cls: type[Any],
    own: Mapping[str, Reader] | None = None,
    *,
    renamed: Mapping[str, str] | None = None,
    may_lack: Collection[str] = (),
) -> Callable[[Any], Any]:
    """A reader of an object with the fields of the dataclass ``cls``, which it returns.

    A field's reader follows from its type, unless ``own`` has one for it. ``renamed`` maps a
    field's name in the file to its name in ``cls``; those in ``may_lack`` may be absent.
    """
    renamed = renamed or {}
    stored = {name: key for key, name in renamed.items()}
    readers = {stored.get(name, name): reader for name, reader in readers_of(cls, own).items()}
    read_object = object_of(readers, may_lack)
    if not renamed:
        return lambda value: cls(**read_object(value))
    return lambda value: cls(**{renamed.get(key, key): item for key, item in read_object(value).items()})


def readers_of(cls: type[Any], own: Mapping[str, Reader] | None = None) -> dict[str, Reader]:
    """A reader for each field of the dataclass ``cls``: from ``own``, else by the field's type."""
    own = own or {}
    hints = get_type_hints(cls)
    return {field.name: own.get(field.name) or reader_for(hints[field.name]) for field in fields(cls)}


_SCALARS: Mapping[object, Reader] = {str: text, bool: flag, int: count, float: number}


def reader_for(hint: Any) -> Reader:
    """The reader that a type hint tells; TypeError where it tells none, as for a mapping."""
    arguments = get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return dataclass_of(hint)
    if isinstance(hint, UnionType) and arguments[1:] == (NoneType,):
        return optional(reader_for(arguments[0]))
    if get_origin(hint) is tuple and arguments[1:] == (...,):
        return list_of(reader_for(arguments[0]))
    raise TypeError(f"{hint} does not tell how it is read: give its field a reader")
