"""Replies that hold JSON instead of data: texts, lines of a stream, HTTP responses."""

import inspect
import json
from collections.abc import Mapping

from pytest_whq.tokens.fields import field

Text = str | bytes | bytearray

_UNFINISHED_LINE_LIMIT = 1 << 20
_HEAD = 32
_EVENT = ("data:", "event:", "id:", "retry:", ": ")
_LINES = frozenset(
    {
        *("text/event-stream", "application/x-ndjson", "application/ndjson", "application/stream+json"),
        *("application/jsonlines", "application/jsonl", "application/x-jsonlines"),
    }
)


def head_of(text: Text) -> str:
    """The first characters of ``text``, enough to tell what it is without a look at the rest."""
    head = text[:_HEAD]
    return (head if isinstance(head, str) else head.decode("latin-1")).lstrip()


def object_in(text: Text) -> dict[str, object] | None:
    """The JSON object that ``text`` is, None for any other text. Prose is told apart at a glance."""
    if not head_of(text).startswith("{"):
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def is_event(text: Text) -> bool:
    """Whether ``text`` begins a server-sent event."""
    return head_of(text).startswith(_EVENT)


def is_protocol(chunk: str) -> bool:
    """Whether the first ``chunk`` of a stream is a line for machines, and not what a model wrote."""
    return is_event(chunk) or object_in(chunk) is not None


def body_of(reply: object) -> dict[str, object] | list[object] | str | None:
    """The body of an HTTP response of httpx, requests or aiohttp: its JSON, or its text; else None.

    Raw responses of the openai and anthropic clients hold such a response. A body that has not
    arrived is left to who asked for it: reading it here would put waiting in the measured window.
    """
    raw = field(reply, "http_response")
    response = reply if raw is None else raw
    kind = _media_type(field(response, "headers"))
    if getattr(response, "_content", None) is False:  # how requests marks a body that has not arrived
        return None
    is_json = kind == "application/json" or kind.endswith("+json")
    if not is_json and kind not in _LINES:
        return None
    load, text = getattr(response, "json", None), getattr(response, "text", None)
    if inspect.iscoroutinefunction(load):  # aiohttp's, to be awaited, which keep what has arrived
        body = getattr(response, "_body", None)
        return body.decode("utf-8", "replace") if isinstance(body, bytes) else None
    if not is_json:
        return text if isinstance(text, str) else None
    data = load() if callable(load) else None
    return data if isinstance(data, (dict, list)) else None


def _media_type(headers: object) -> str:
    if not isinstance(headers, Mapping):
        return ""
    kind = headers.get("content-type") or headers.get("Content-Type")
    return kind.partition(";")[0].strip().lower() if isinstance(kind, str) else ""


class JsonLines:
    """Finds the JSON objects in the text of a stream: server-sent events, or an object a line.

    ``names_error`` once there was an event of that name.
    """

    __slots__ = ("_ends_seen", "_is_protocol", "_rest", "names_error")

    def __init__(self) -> None:
        self._ends_seen = False
        self._is_protocol: bool | None = None
        self._rest = ""
        self.names_error = False

    @property
    def is_protocol(self) -> bool:
        """Whether the text is for machines: it begins with an event, or with a line that is an object."""
        return self._is_protocol is not False

    def feed_all(self, text: Text) -> list[dict[str, object]]:
        """The objects of a whole ``text``; none in prose, which is told apart at a glance."""
        if not head_of(text).startswith(("{", *_EVENT)):
            return []
        return [*self.feed(text), *self.end()]

    def feed(self, chunk: Text) -> list[dict[str, object]]:
        """The objects that ``chunk`` completes. Chunks are lines without their ends, or cut anywhere."""
        text = chunk if isinstance(chunk, str) else chunk.decode("utf-8", "replace")
        if not self._ends_seen and text.startswith(_EVENT):
            self._rest = ""  # Lines without ends: what came before was no JSON and never will be.
        begun = self._rest
        *lines, rest = (begun + text).split("\n")
        self._ends_seen = self._ends_seen or bool(lines)
        found = []
        for line in lines:
            if (data := _data(line)) is not None:
                found.append(data)
            elif line.startswith("event:"):
                self._note_event(line)
        # A line that came in pieces will have an end: trying to read it after each piece would cost
        # the square of its length.
        is_new = not begun or bool(lines)
        if is_new and (data := _data(rest)) is not None:
            found.append(data)
            rest = ""
        elif rest.startswith("event:"):
            self._note_event(rest)
        if is_new and self._is_protocol is None:
            self._is_protocol = _tells_protocol(begun + text)
        self._rest = rest if _may_hold_json(rest) else ""
        return found

    def end(self) -> list[dict[str, object]]:
        """The object that stood in a last line without an end, if any."""
        data = _data(self._rest)
        self._rest = ""
        return [] if data is None else [data]

    def _note_event(self, line: str) -> None:
        self.names_error = self.names_error or line.removeprefix("event:").strip() == "error"


def _tells_protocol(text: str) -> bool | None:
    """Whether what begins with ``text`` is for machines; None where that is still to be seen."""
    first, end, _ = text.lstrip().partition("\n")
    if first.startswith(_EVENT) or _data(first) is not None:
        return True
    # What a model writes may be JSON, too, but hardly in one line and more after it.
    return None if not end and _may_hold_json(first) else False


def _may_hold_json(line: str) -> bool:
    value = _value(line)
    return (value.startswith("{") or "data:".startswith(value)) and len(line) <= _UNFINISHED_LINE_LIMIT


def _value(line: str) -> str:
    return line.strip().removeprefix("data:").lstrip()


def _data(line: str) -> dict[str, object] | None:
    return object_in(_value(line))
