"""Whether an output was cut, and which chunk begins it."""

import pytest

from pytest_whq.tokens.output import begins_output, is_cut


@pytest.mark.parametrize(
    "reply",
    [
        {"choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}]},
        {"stop_reason": "max_tokens"},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
        {"done_reason": "length"},
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}},
        {"candidates": [{"finishReason": "MAX_TOKENS"}]},
        {"outputs": [{"finish_reason": "length"}]},
        {"results": [{"finish_reason": "length"}]},
        {"stopReason": "max_tokens"},
        {"finish_reason": "MAX_TOKENS"},
        {"meta_info": {"finish_reason": {"type": "length", "length": 8}}},
        [{"choices": [{"finish_reason": "length"}]}],
    ],
)
def test_replies_that_max_tokens_cut(reply: object) -> None:
    assert is_cut(reply)


@pytest.mark.parametrize("reply", [None, "length", {}, {"choices": [{"finish_reason": "stop"}]}, 5])
def test_replies_that_ended_by_themselves(reply: object) -> None:
    assert not is_cut(reply)


def chat(**delta: object) -> dict[str, object]:
    return {"object": "chat.completion.chunk", "choices": [{"delta": delta}]}


@pytest.mark.parametrize(
    "chunk",
    ["text", {"n": 1}, chat(content="x"), chat(tool_calls=[{}]), {"type": "response.output_text.delta"}],
)
def test_chunks_with_output(chunk: object) -> None:
    assert begins_output(chunk)


@pytest.mark.parametrize(
    "chunk",
    [
        chat(role="assistant", content=""),
        {"object": "chat.completion.chunk", "choices": []},
        {"type": "message_start"},
        {"type": "ping"},
        {"type": "response.created"},
    ],
)
def test_chunks_before_any_output(chunk: object) -> None:
    assert not begins_output(chunk)
