"""Replies that were recorded as they came, and may be recorded by hand once more."""

import weakref
from collections.abc import Callable
from typing import Any

_MOST = 1000
"""Replies whose receipts are kept: who records by hand does so soon."""


class Receipts:
    """Remembers which objects were counted, so that none is counted again; it keeps few of them alive."""

    def __init__(self) -> None:
        self._kept: dict[int, list[Callable[[], Any]]] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def note(self, reply: Any) -> None:
        """``reply`` was counted."""
        if reply is None:
            return
        self._kept.setdefault(id(reply), []).append(_reference(reply))
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def spend(self, reply: Any) -> bool:
        """Whether ``reply`` was counted, as often as it was."""
        references = self._kept.get(id(reply))
        if references is None:
            return False
        known = references.pop()() is reply
        if not references or not known:
            del self._kept[id(reply)]
        return known


def _reference(reply: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(reply)
    except TypeError:  # dicts, lists and text
        return lambda: reply
