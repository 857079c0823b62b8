"""HTTP responses that are returned at their headers: the body, and the work, is still to come."""

import io
from collections.abc import Awaitable
from typing import Any

UNREAD = "unread response"
"""Kind of failure of a response whose body was not read to its end while its window was open."""


def is_unread(reply: object) -> bool:
    """Whether ``reply`` is a response of requests, httpx or urllib whose body nobody has read."""
    state = getattr(reply, "__dict__", None)
    if type(state) is not dict:
        return False
    if "_content_consumed" in state:  # requests
        return state.get("_content") is False and state["_content_consumed"] is False
    if "is_stream_consumed" in state:  # httpx
        return state["is_stream_consumed"] is False and "_content" not in state
    return "chunked" in state and state.get("fp") is not None and issubclass(type(reply), io.IOBase)


def load(response: Any) -> None:
    """Read the body of an unread ``response`` and keep it in it, where that can be done without waiting."""
    if "_content_consumed" in vars(response):
        _ = response.content
    elif "is_stream_consumed" in vars(response) and not hasattr(response.stream, "__aiter__"):
        response.read()


def load_async(response: Any) -> Awaitable[Any] | None:
    """What to await so that the body of an unread ``response`` is read and kept, None for one to `load`."""
    if hasattr(response, "aread") and hasattr(response.stream, "__aiter__"):
        return response.aread()  # type: ignore[no-any-return]
    return None
