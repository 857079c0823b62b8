"""Clients of OpenAI and Anthropic that record every query made through them."""

from collections.abc import Callable
from typing import Any

Record = Callable[[Callable[..., Any]], Callable[..., Any]]

_QUERIES = frozenset(
    {
        *("chat.completions.create", "chat.completions.parse", "chat.completions.stream"),
        *("beta.chat.completions.parse", "beta.chat.completions.stream"),
        *("completions.create", "responses.create", "responses.parse", "responses.stream"),
        *("messages.create", "messages.parse", "messages.stream"),
        *("beta.messages.create", "beta.messages.parse", "beta.messages.stream"),
    }
)
"""Where a client makes queries; the same ``.with_raw_response`` makes them too."""

_ON_THE_WAY = frozenset(path.rsplit(".", depth)[0] for path in _QUERIES for depth in (1, 2, 3) if "." in path)
_COPIES = ("with_options", "copy")
_RAW = "with_raw_response"


def is_client(target: object) -> bool:
    """Whether ``target`` is a client that makes queries, and not a function."""
    return not callable(target) and any(
        callable(getattr(getattr(target, place, None), "create", None))
        for place in ("messages", "completions")
    )


def instrumented(client: Any, record: Record) -> Any:
    """``client`` with each of its queries passed through ``record``; all else is its own."""
    return _Instrumented(client, "", record)


class _Instrumented:
    """Stands in for a client, or for a part of it on the way to where queries are made."""

    def __init__(self, target: Any, path: str, record: Record) -> None:
        self._whq_target = target
        self._whq_path = path
        self._whq_record = record

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # Libraries that take a client check its type.
        return type(self._whq_target)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whq_target, name)
        path = f"{self._whq_path}.{name}".lstrip(".")
        if name == _RAW:
            return _Instrumented(found, self._whq_path, self._whq_record)
        if path in _QUERIES:
            return self._whq_record(found)
        if path in _ON_THE_WAY:
            return _Instrumented(found, path, self._whq_record)
        if not self._whq_path and name in _COPIES:
            return lambda *args, **kwargs: instrumented(found(*args, **kwargs), self._whq_record)
        return found

    def __repr__(self) -> str:
        return repr(self._whq_target)

    def __enter__(self) -> Any:
        self._whq_target.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._whq_target.__exit__(*error)

    async def __aenter__(self) -> Any:
        await self._whq_target.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._whq_target.__aexit__(*error)
