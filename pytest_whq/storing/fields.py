"""Strict readers of JSON values: each returns what a field holds or raises `FieldError`."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reader(Generic[Value]):
    """Reads one kind of JSON value; ``schema`` says as a JSON Schema what it takes, as far as that can.

    It returns what was read, or raises `FieldError`.
    """

    read: Callable[[Any], Value]
    schema: Mapping[str, Any]

    def __call__(self, value: Any) -> Value:
        return self.read(value)


def taking(**schema: Any) -> Callable[[Callable[[Any], Value]], Reader[Value]]:
    """Make a function a `Reader` of what ``schema`` says."""
    return lambda read: Reader(read, schema)


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


@taking(type="string")
def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise FieldError(f"is {shown(value)}, but must be a string")
    return value


@taking(type="boolean")
def flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise FieldError(f"is {shown(value)}, but must be true or false")
    return value


@taking(type="integer", minimum=0, maximum=LARGEST_COUNT)
def count(value: Any) -> int:
    """A whole number from 0 up."""
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise FieldError(f"is {shown(value)}, but must be a whole number from 0 up")
    return value


@taking(type="number", minimum=-LARGEST_NUMBER, maximum=LARGEST_NUMBER)
def signed(value: Any) -> float:
    """A finite number of either sign."""
    if type(value) in _NUMBERS and -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        return float(value)
    raise FieldError(f"is {shown(value)}, but must be a finite number")


@taking(type="number", minimum=0, maximum=LARGEST_NUMBER)
def number(value: Any) -> float:
    """A finite number from 0 up."""
    if type(value) in _NUMBERS and 0 <= value <= LARGEST_NUMBER:
        return float(value)
    raise FieldError(f"is {shown(value)}, but must be a finite number from 0 up")


def above_zero(least: float) -> Reader[float]:
    """A reader of a finite number above 0, the least that is taken for one being ``least``."""

    def read(value: Any) -> float:
        if (figure := number(value)) < least:
            raise FieldError(f"is {shown(value)}, but must be above 0")
        return figure

    return Reader(read, {**number.schema, "minimum": least})


@taking(type="array", items=signed.schema, minItems=2, maxItems=2)
def interval(value: Any) -> tuple[float, float]:
    """Two finite numbers, the lower one first."""
    if type(value) is not list or len(value) != 2:
        raise FieldError(f"is {shown(value)}, but must be a list of two numbers")
    low, high = _two_numbers(value)
    if low > high:
        raise FieldError(f"is {shown(value)}, but its lower end must come first")
    return low, high


def one_of(words: Collection[str]) -> Reader[str]:
    """A reader of one of a few words."""

    @taking(enum=list(words))
    def read(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise FieldError(f"is {shown(value)}, but must be one of {', '.join(words)}")
        return value

    return read


def optional(reader: Reader[Value]) -> Reader[Value | None]:
    """A reader of null, or of what ``reader`` reads."""
    read = reader.read
    kind = reader.schema.get("type")
    # An object stays a whole of its own, which others can refer to.
    if kind is None or kind == "object":
        schema: Mapping[str, Any] = {"anyOf": [reader.schema, {"type": "null"}]}
    else:
        schema = {**reader.schema, "type": [kind, "null"]}
    return Reader(lambda value: None if value is None else read(value), schema)


def list_of(reader: Reader[Value]) -> Reader[tuple[Value, ...]]:
    """A reader of a list, each of its items read by ``reader``."""
    read_item = reader.read

    @taking(type="array", items=reader.schema)
    def read(value: Any) -> tuple[Value, ...]:
        if type(value) is not list:
            raise FieldError(f"is {shown(value)}, but must be a list")
        items = []
        for index, item in enumerate(value):
            try:
                items.append(read_item(item))
            except FieldError as wrong:
                raise wrong.inside(f"[{index}]") from None
        return tuple(items)

    return read


_two_numbers = list_of(signed)


def mapping_of(reader: Reader[Any], keys: Collection[str]) -> Reader[dict[str, Any]]:
    """A reader of an object that has some of ``keys`` and no other field."""
    return object_of(dict.fromkeys(keys, reader), may_lack=keys)


def object_of(readers: Mapping[str, Reader[Any]], may_lack: Collection[str] = ()) -> Reader[dict[str, Any]]:
    """A reader of an object with a field for each of ``readers`` and no other."""
    expected = readers.keys()
    required = expected - set(may_lack)
    steps = tuple((name, reader.read) for name, reader in readers.items())

    @taking(
        type="object",
        properties={name: reader.schema for name, reader in readers.items()},
        required=[name for name in readers if name in required],
        additionalProperties=False,
    )
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise FieldError(f"is {shown(value)}, but must be an object")
        names = value.keys()
        if names != expected and not required <= names <= expected:
            raise _wrong_names(value, expected, required)
        found = {}
        try:
            for name, read_field in steps:
                if name in value:
                    found[name] = read_field(value[name])
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


def _by_name(reader: Reader[Any]) -> Reader[dict[str, Any]]:
    """A reader of an object of any fields, each as ``reader`` reads it."""

    @taking(type="object", additionalProperties=reader.schema)
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise FieldError(f"is {shown(value)}, but must be an object")
        return object_of(dict.fromkeys(value, reader))(value)

    return read


counts_by_name = _by_name(count)
texts_by_name = _by_name(text)
