"""Objects that stand in for those of users, and answer to all that these answer to."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, SupportsIndex


class StandIn:
    """Stands in for ``target``: its type, attributes and writes to them are the target's own.

    Python looks up ``for``, ``await``, ``len()`` and the like on the type, so each kind of target gets a type
    of its own, with all that the kind has: those of ``_whq_protocols`` are the stand-in's, the others the
    target's. Names that begin with ``_whq_`` are not the target's. What is pickled is the target.
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

    def __dir__(self) -> Iterable[str]:
        return dir(self._whq_target)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return _itself, (self._whq_target,)

    @classmethod
    def _whq_for(cls, target: Any) -> Callable[..., Any]:
        """What makes a stand-in for ``target``: the type that has its protocols."""
        return _type_for(cls, type(target))  # type: ignore[arg-type]  # whose types mypy takes for instances


def is_stand_in(value: object) -> bool:
    """Whether ``value`` stands in for something."""
    return issubclass(type(value), StandIn)


def _itself(target: Any) -> Any:
    return target


@functools.lru_cache(maxsize=256)
def _type_for(base: type[StandIn], kind: type[Any]) -> type[StandIn]:
    own = {name: does for name, does in base._whq_protocols.items() if hasattr(kind, name)}
    others = {name: _of_target(name) for name in dir(kind) if _is_protocol(kind, name)}
    of_types: dict[str, Any] = {name: _told_by_target(name) for name in _OF_TYPES}
    of_base = {name: getattr(base, name) for name in others if hasattr(base, name)}
    return type(base.__name__, (base,), {"__slots__": (), **of_types, **others, **of_base, **own})


_OF_TYPES = ("__doc__", "__module__", "__annotations__")
"""What Python would find on the stand-in's type before it asks for the target's."""

_NOT_LENT = frozenset(
    {
        *dir(object),
        *("__getattr__", "__del__", "__get__", "__set__", "__delete__", "__set_name__", "__slots__"),
        *("__setstate__", "__getnewargs__", "__getnewargs_ex__", "__prepare__", "__class_getitem__"),
    }
)
"""How objects are made, found, kept and let go, in which a stand-in is one of its own."""


def _is_protocol(kind: type[Any], name: str) -> bool:
    return name.startswith("__") and name not in _NOT_LENT and callable(getattr(kind, name, None))


def _of_target(name: str) -> Callable[..., Any]:
    def does(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        target = self._whq_target
        return getattr(type(target), name)(target, *args, **kwargs)

    return does


def _told_by_target(name: str) -> property:
    return property(lambda self: getattr(self._whq_target, name))
