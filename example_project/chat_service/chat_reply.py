"""A chat completion as a client gets it: OpenAI's JSON, in one piece or token by token."""

import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from chat_service.chat_request import ChatRequest
from chat_service.model import END


def whole_reply(request: ChatRequest, tokens: Iterable[int]) -> dict[str, Any]:
    """The reply in one piece, once all its tokens are written."""
    written = list(tokens)
    message = {"role": "assistant", "content": "".join(chr(token) for token in written if token != END)}
    return {
        **_envelope(request, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": _finish_reason(written[-1])}],
        "usage": _usage(request, len(written)),
    }


def streamed_reply(request: ChatRequest, tokens: Iterable[int]) -> Iterator[dict[str, Any]]:
    """The reply in chunks, one for each token as soon as it is written."""
    envelope = _envelope(request, "chat.completion.chunk")

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        return {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}

    yield chunk({"role": "assistant", "content": ""})
    written = 0
    token = END
    for written, token in enumerate(tokens, start=1):  # noqa: B007 - both are wanted after the last
        if token != END:
            yield chunk({"content": chr(token)})
    yield chunk({}, _finish_reason(token))
    if request.include_usage:
        yield {**envelope, "choices": [], "usage": _usage(request, written)}


def _envelope(request: ChatRequest, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
    }


def _finish_reason(last_token: int) -> str:
    return "stop" if last_token == END else "length"


def _usage(request: ChatRequest, output_tokens: int) -> dict[str, int]:
    # The token that ends a text counts: writing it took as much energy as any other.
    return {
        "prompt_tokens": len(request.prompt),
        "completion_tokens": output_tokens,
        "total_tokens": len(request.prompt) + output_tokens,
    }
