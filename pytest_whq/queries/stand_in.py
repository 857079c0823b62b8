"""Objects that stand in for those of users, and answer to all that these answer to."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class StandIn:
    """Stands in for ``target``: its type, attributes and writes to them are the target's own.

    Python looks up ``for``, ``await`` and ``with`` on the type, so each kind of target gets a type of its
    own, with those of ``_whq_protocols`` that the kind has. Names that begin with ``_whq_`` are not the
    target's.
    """

    __slots__ = ("__weakref__", "_whq_target")

    _whq_target: Any
    _whq_protocols: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init__(self, target: Any) -> None:
        self._whq_target = target

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # Libraries that take a client or a stream check its type.
        return type(self._whq_target)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_whq_"):  # absent only where __init__ was not reached
            raise AttributeError(name)
        return getattr(self._whq_target, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_whq_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._whq_target, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._whq_target, name)

    def __repr__(self) -> str:
        return repr(self._whq_target)

    @classmethod
    def _whq_for(cls, target: Any) -> Callable[..., Any]:
        """What makes a stand-in for ``target``: the type that has its protocols."""
        return _type_for(cls, type(target))  # type: ignore[arg-type]  # whose types mypy takes for instances


def is_stand_in(value: object) -> bool:
    """Whether ``value`` stands in for something."""
    return issubclass(type(value), StandIn)


@functools.lru_cache(maxsize=256)
def _type_for(base: type[StandIn], kind: type[Any]) -> type[StandIn]:
    found = {name: does for name, does in base._whq_protocols.items() if hasattr(kind, name)}
    return type(base.__name__, (base,), {"__slots__": (), "__doc__": base.__doc__, **found})
