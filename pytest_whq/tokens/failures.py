"""What a reply, or an event of a stream, says of an error in place of an answer."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pytest_whq.tokens.fields import field, quietly
from pytest_whq.tokens.output import holds_output
from pytest_whq.tokens.responses import state_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,49}")
_NAMED_BY = ("code", "type", "status", "error_type")
_ENDED_BADLY = frozenset({"response.failed", "response.cancelled"})
"""Events of the Responses API; the status of a whole response has the second word."""


class Failed(NamedTuple):
    """What stands in place of the tokens of a query that failed: how, in few words."""

    kind: str


_NAMELESS = Failed("error reply")
ERROR_EVENT = Failed("error event")
"""A stream ended in an event that is named error, and tells no more."""


def failure_in(reply: object, *, tells_tokens: bool) -> Failed | None:
    """How the query failed that ``reply`` answers; None where it is an answer. Never raises.

    It failed where a response of the Responses API says so, and where there is an error in place of both text
    and tokens. ``error: null`` is none, and what a user's own object calls an error is the user's.
    """
    if _is_response(reply) and (failed := quietly(_of_response, reply)) is not None:
        return failed
    return None if tells_tokens else failure_in_event(reply)


def failure_in_event(event: object) -> Failed | None:
    """How a stream failed of which ``event`` is one; None where that tells of no error. Never raises."""
    return quietly(_of_event, event)


def _is_response(reply: object) -> bool:
    holder = _held(reply)
    return holder.get("object") == "response" and f"response.{holder.get('status')}" in _ENDED_BADLY


def _of_response(response: object) -> Failed:
    found = _named(_held(field(response, "error")), {})
    return Failed(f"response {field(response, 'status')}") if found == _NAMELESS else found


def _of_event(event: object) -> Failed | None:
    kind = type(event)
    if kind is not dict:
        return _of_object(event) if hasattr(kind, "__pydantic_fields__") else None
    body: Mapping[str, Any] = event  # type: ignore[assignment]
    error = body.get("error")
    if body.get("type") == "error" or body.get("object") == "error":
        return _named(_held(error), body)
    if body.get("type") in _ENDED_BADLY:
        return _of_response(body.get("response"))
    if not error or not isinstance(error, (dict, str)):
        return None
    # Beside an error, a text that is named message tells more of it.
    beside = {name: value for name, value in body.items() if name != "message" or not isinstance(value, str)}
    return None if holds_output(beside) else _named(_held(error), body)


def _of_object(event: object) -> Failed | None:
    state = state_of(event)
    kind = state.get("type")
    if kind in _ENDED_BADLY:
        return _of_response(state.get("response"))
    if kind == "error":
        return _named(_held(state.get("error")), state)
    # A client that knows of no error in an answer keeps it beside its own fields.
    error = (getattr(event, "__pydantic_extra__", None) or {}).get("error")
    if not error or not isinstance(error, (dict, str)) or holds_output(event):
        return None
    return _named(_held(error), {})


def _held(error: object) -> Mapping[str, Any]:
    return error if isinstance(error, dict) else state_of(error)


def _named(error: Mapping[str, Any], around: Mapping[str, Any]) -> Failed:
    """The failure by the name that the ``error`` has, or what is ``around`` it, else by its number."""
    told = [holder.get(name) for holder in (error, around) for name in _NAMED_BY]
    for word in told:
        # Of texts from outside, only what is plainly a name.
        if isinstance(word, str) and word != "error" and _NAME.fullmatch(word):
            return Failed(f"error {word}")
    number = next((one for one in told if type(one) is int), None)
    return _NAMELESS if number is None else Failed(f"error {number}")
