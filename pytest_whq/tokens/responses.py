"""HTTP responses: told from all other replies, and whether the server refused."""

from typing import Any

from pytest_whq.tokens.fields import is_mock


def response_in(reply: Any) -> Any:
    """The response that ``reply`` is or holds, where it holds one."""
    if type(reply) is dict:  # botocore's
        held = reply.values() if "ResponseMetadata" in reply else ()
        return next((value for value in held if "_raw_stream" in state_of(value)), reply)
    # The raw responses of OpenAI's and Anthropic's clients.
    return state_of(reply).get("http_response", reply)


def state_of(response: object) -> dict[str, Any]:
    """What an object holds of its own; empty for one that holds nothing."""
    # By type: an attribute may be anything, where objects answer to all names.
    try:
        state: Any = object.__getattribute__(response, "__dict__")
    except Exception:  # noqa: BLE001 -- replies are users' objects
        return {}
    return state if type(state) is dict else {}


def is_of_aiohttp(response: Any) -> bool:
    """Whether ``response`` is one of aiohttp."""
    kind = type(response)
    return kind.__name__ == "ClientResponse" and kind.__module__.startswith("aiohttp.")


def refusal(reply: object) -> str | None:
    """How a server refused, such as "HTTP 429", where ``reply`` is a response of status 400 or above."""
    status = status_of(reply)
    return None if status is None or status < _REFUSED else f"HTTP {status}"


def status_of(reply: object) -> int | None:
    """The status of the response that ``reply`` is or holds; None where there is none.

    Known are those that keep their headers beside it: of httpx, requests, aiohttp, urllib3 and urllib, those
    that clients of models hold, and what is made alike. What a mock answers is no status.
    """
    if type(reply) in _DATA:
        return None
    response = response_in(reply)
    state = state_of(response)
    if ("headers" not in state and not is_of_aiohttp(response)) or is_mock(response):
        return None
    status = state.get("status_code", state.get("status"))
    return int(status) if isinstance(status, int) else None


_REFUSED = 400
_DATA = frozenset({dict, list, tuple, str, bytes, bytearray, int, float, bool, type(None)})
