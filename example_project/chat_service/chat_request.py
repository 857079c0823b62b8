"""A chat completion as a client asks for it: OpenAI's JSON, read and checked."""

import json
import math
from dataclasses import dataclass
from typing import Any

from chat_service.model import Shape

_NUMBERS: dict[str, tuple[type[int | float], float, float]] = {
    "n": (int, 1, 1),
    "max_tokens": (int, 1, math.inf),
    "max_completion_tokens": (int, 1, math.inf),
    "seed": (int, -math.inf, math.inf),
    "temperature": (float, 0, 2),
}
"""Field -> its type, its least and its greatest value."""


@dataclass(eq=False)
class RequestError(Exception):
    """A request that cannot be served; ``status`` is HTTP's, ``param`` names the field at fault."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    kind: str = "invalid_request_error"

    def as_dict(self) -> dict[str, Any]:
        """The body that tells the client, in OpenAI's shape."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": error}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asks for; OpenAI's fields that are not here are ignored."""

    model: str
    prompt: bytes
    max_tokens: int
    temperature: float
    seed: int
    stream: bool
    include_usage: bool


def read_request(body: bytes, shape: Shape) -> ChatRequest:
    """Read a request to the model of ``shape``; one without a temperature is answered greedily."""
    fields = _read_object(body)
    if fields.get("model") != shape.name:
        message = f"The model {fields.get('model')!r} does not exist: this server has {shape.name!r}."
        raise RequestError(message, "model", "model_not_found", status=404)
    prompt = _read_messages(fields.get("messages"))
    _check_numbers(fields)
    max_tokens = fields.get("max_completion_tokens") or fields.get("max_tokens") or 256
    if len(prompt) + max_tokens > shape.context:
        message = (
            f"The messages are {len(prompt)} tokens and up to {max_tokens} more are asked for: "
            f"together more than this model's context of {shape.context}."
        )
        raise RequestError(message, "messages", "context_length_exceeded")
    stream_options = fields.get("stream_options")
    return ChatRequest(
        model=shape.name,
        prompt=prompt,
        max_tokens=max_tokens,
        temperature=fields.get("temperature") or 0.0,
        seed=fields.get("seed") or 0,
        stream=fields.get("stream") is True,
        include_usage=isinstance(stream_options, dict) and stream_options.get("include_usage") is True,
    )


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise RequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise RequestError("The body is not a JSON object.")
    return fields


def _read_messages(messages: Any) -> bytes:
    if not isinstance(messages, list) or not messages:
        raise RequestError("'messages' must be a list of one message or more.", "messages")
    lines = []
    for index, message in enumerate(messages):
        match message:
            case {"role": str(role), "content": str(content)}:
                lines.append(f"{role}: {content}\n")
            case {"role": str(role), "content": [*parts]} if all(map(_is_text, parts)):
                lines.append(f"{role}: {''.join(part['text'] for part in parts)}\n")
            case _:
                name = f"messages[{index}]"
                raise RequestError(f"'{name}' must have a role and a content of text.", name)
    return f"{''.join(lines)}assistant: ".encode(errors="replace")


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _check_numbers(fields: dict[str, Any]) -> None:
    for name, (kind, least, greatest) in _NUMBERS.items():
        value = fields.get(name)
        if value is None:
            continue
        right_kind = isinstance(value, int | kind) and not isinstance(value, bool)
        if not (right_kind and least <= value <= greatest):
            wanted = "a whole number" if kind is int else "a number"
            raise RequestError(f"'{name}' must be {wanted} from {least} to {greatest}, not {value!r}.", name)
