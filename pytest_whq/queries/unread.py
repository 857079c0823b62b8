"""HTTP responses that are returned at their headers: the body, and the work, is still to come."""

import io
from collections.abc import Awaitable
from typing import Any

from pytest_whq.tokens.responses import is_of_aiohttp, response_in, state_of

UNREAD = "unread response"
"""Kind of failure of a response whose body was not read to its end while its window was open."""


def is_unread(reply: object) -> bool:
    """Whether ``reply`` is a response whose body nobody has read to its end.

    Known are those of requests, httpx, aiohttp, urllib3 and urllib, those that clients of models and of
    Amazon hold, and no others.
    """
    response = response_in(reply)
    state = state_of(response)
    if "_content_consumed" in state:  # requests
        return state.get("_content") is False and not state["_content_consumed"] and not _was_emptied(state)
    if "is_stream_consumed" in state:  # httpx
        return "_content" not in state and not (state["is_stream_consumed"] and state.get("is_closed"))
    if is_of_aiohttp(response):
        return response._body is None and not response.content.at_eof()
    if "_raw_stream" in state:  # botocore
        return hasattr(state["_raw_stream"], "_fp") and not state["_raw_stream"].closed
    return "chunked" in state and state.get("fp") is not None and issubclass(type(response), io.IOBase)


def load(reply: Any) -> None:
    """Read the body of an unread ``reply`` and keep it in it, where that can be done without waiting.

    What was closed stays unread, as what can be read only once does.
    """
    response = response_in(reply)
    state = state_of(response)
    if "_content_consumed" in state:
        if not getattr(state.get("raw"), "closed", False):
            _ = response.content
    elif _can_be_read(state) and not hasattr(response.stream, "__aiter__"):
        response.read()


def load_async(reply: Any) -> Awaitable[Any] | None:
    """What to await so that the body of an unread ``reply`` is read and kept, None for one to `load`."""
    response = response_in(reply)
    if is_of_aiohttp(response):
        return None if response.content.exception() is not None else response.read()
    if _can_be_read(state_of(response)) and hasattr(response.stream, "__aiter__"):
        return response.aread()  # type: ignore[no-any-return]
    return None


def _was_emptied(state: dict[str, Any]) -> bool:
    # By way of its ``raw``, of which requests does not hear.
    raw = state.get("raw")
    return getattr(raw, "closed", False) is True and getattr(raw, "_fp_bytes_read", 0) > 0


def _can_be_read(state: dict[str, Any]) -> bool:
    return state.get("is_stream_consumed") is False and not state.get("is_closed")
