"""Clients of OpenAI and Anthropic that record every query made through them."""

from collections.abc import Callable
from typing import Any

from pytest_whq.calling.recording import unrecorded
from pytest_whq.queries.stand_in import StandIn

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
    return _instrumented(client, "", record)


class _Instrumented(StandIn):
    """Stands in for a client, or for a part of it on the way to where queries are made."""

    __slots__ = ("_whq_path", "_whq_record")

    _whq_path: str
    _whq_record: Record

    def __init__(self, target: Any, path: str, record: Record) -> None:
        super().__init__(target)
        self._whq_path = path
        self._whq_record = record

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        path = f"{self._whq_path}.{name}".lstrip(".")
        if name == _RAW:
            return _instrumented(found, self._whq_path, self._whq_record)
        if path in _QUERIES:
            return self._whq_record(found)
        if path in _ON_THE_WAY:
            return _instrumented(found, path, self._whq_record)
        if not self._whq_path and name in _COPIES:
            return lambda *args, **kwargs: instrumented(found(*args, **kwargs), self._whq_record)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        # What was read here and is put back, as monkeypatch does, must not stay recorded in the client.
        super().__setattr__(name, value if name.startswith("_whq_") else unrecorded(value))

    def _whq_enter(self) -> Any:
        self._whq_target.__enter__()
        return self

    def _whq_exit(self, *error: Any) -> Any:
        return self._whq_target.__exit__(*error)

    async def _whq_aenter(self) -> Any:
        await self._whq_target.__aenter__()
        return self

    async def _whq_aexit(self, *error: Any) -> Any:
        return await self._whq_target.__aexit__(*error)

    _whq_protocols = {  # noqa: RUF012 - as the base has it
        "__enter__": _whq_enter,
        "__exit__": _whq_exit,
        "__aenter__": _whq_aenter,
        "__aexit__": _whq_aexit,
    }


def _instrumented(target: Any, path: str, record: Record) -> Any:
    return _Instrumented._whq_for(target)(target, path, record)
