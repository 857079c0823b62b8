"""Which inputs were asked before: what a server with a prompt cache answers from it."""

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence

from pytest_whq.queries.request import without_partials

_NUMBERS = frozenset({int, float, bool, type(None)})
_PLAIN = frozenset({str, bytes, *_NUMBERS})
_DEEPEST = 12
"""A body of a request is not nested deeper; what goes round in circles is."""


class InputLog:
    """Inputs that were asked, by their `fingerprint`: 8 bytes each. Unknown ones are not in it."""

    __slots__ = ("_asked", "_before")

    def __init__(self) -> None:
        self._asked = array("q")
        self._before: set[int] = set()

    def add(self, prompt: int) -> None:
        """Note what a query asked."""
        self._asked.append(prompt)

    def add_before(self, prompts: Collection[int]) -> None:
        """Note what was asked before any query that counts, as when warming up."""
        self._before.update(prompts)

    def include(self, other: "InputLog") -> None:
        """Note what another log holds."""
        self._asked.extend(other._asked)
        self._before |= other._before

    def __len__(self) -> int:
        return len(self._asked)

    @property
    def repeated(self) -> int:
        """How many of them were asked before."""
        return len(self._asked) - len(set(self._asked) - self._before)


def prompt_of(
    call: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
) -> int | None:
    """The `fingerprint` of what ``call(*args, **kwargs)`` asks, with what partials have set of it."""
    _, args, kwargs = without_partials(call, args, kwargs)
    return fingerprint(args, kwargs)


def fingerprint(args: Sequence[object], kwargs: Mapping[str, object]) -> int | None:
    """The same number for equal arguments; None where one is not plain data, or none is a prompt."""
    if _NUMBERS.issuperset(map(type, (*args, *kwargs.values()))):
        return None
    found = (_number(args, 0), _number(kwargs, 0))
    return None if None in found else hash(found)


def _number(value: object, depth: int) -> int | None:
    kind = type(value)
    if kind in _PLAIN:
        return hash(value)
    if depth > _DEEPEST:
        return None
    if kind is dict:
        pairs: dict[object, object] = value  # type: ignore[assignment]
        return _of_all([*pairs.keys(), *pairs.values()], depth)
    if kind is list or kind is tuple:
        items: Sequence[object] = value  # type: ignore[assignment]
        # Prompts of token ids are long.
        return hash(tuple(items)) if _PLAIN.issuperset(map(type, items)) else _of_all(items, depth)
    return None


def _of_all(values: Sequence[object], depth: int) -> int | None:
    numbers = [_number(value, depth + 1) for value in values]
    return None if None in numbers else hash(tuple(numbers))
