"""OpenAI's chat completions, completions and responses, and the servers and wrappers of that shape."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import read_queries, read_tokens

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-oss",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {
        "prompt_tokens": 120,
        "completion_tokens": 50,
        "total_tokens": 170,
        "prompt_tokens_details": {"cached_tokens": 100},
        "completion_tokens_details": {"reasoning_tokens": 30},
    },
}
COMPLETION: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-oss",
    "choices": [{"index": 0, "finish_reason": "stop", "text": "hi", "logprobs": None}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-oss",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 75,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 16},
        "total_tokens": 115,
    },
}


def with_usage(reply: dict[str, Any], usage: object) -> dict[str, Any]:
    return {**reply, "usage": usage}


def test_a_chat_completion_tells_cached_and_reasoning_tokens() -> None:
    expected = TokenCount(120, 50, cached_input_tokens=100, reasoning_tokens=30)
    assert read_tokens(CHAT) == expected
    chat = pytest.importorskip("openai.types.chat")
    assert read_tokens(chat.ChatCompletion.model_validate(CHAT)) == expected


def test_what_the_openai_client_constructs_without_validation_is_read_alike() -> None:
    chat = pytest.importorskip("openai.types.chat")
    assert read_tokens(chat.ChatCompletion.construct(**CHAT)) == TokenCount(120, 50, 100, 30)


def test_a_completion_does_not_tell_what_its_details_leave_out() -> None:
    expected = TokenCount(9, 4, cached_input_tokens=None, reasoning_tokens=None)
    assert read_tokens(COMPLETION) == expected
    types = pytest.importorskip("openai.types")
    assert read_tokens(types.Completion.model_validate(COMPLETION)) == expected


def test_a_response_tells_cached_and_reasoning_tokens() -> None:
    expected = TokenCount(75, 40, cached_input_tokens=64, reasoning_tokens=16)
    assert read_tokens(RESPONSE) == expected
    responses = pytest.importorskip("openai.types.responses")
    assert read_tokens(responses.Response.model_validate(RESPONSE)) == expected


@pytest.mark.parametrize("reply", [CHAT, COMPLETION, RESPONSE])
def test_a_reply_without_usage_is_read_but_tells_nothing(reply: dict[str, Any]) -> None:
    assert read_tokens(with_usage(reply, None)) == TokenCount()
    assert read_queries(with_usage(reply, None)) == (TokenCount(),)


def test_objects_with_the_same_attributes_are_read_as_well() -> None:
    usage = SimpleNamespace(prompt_tokens=3, completion_tokens=5)
    assert read_tokens(SimpleNamespace(usage=usage)) == TokenCount(3, 5)


def test_dicts_and_objects_may_be_mixed() -> None:
    assert read_tokens(SimpleNamespace(usage={"prompt_tokens": 3, "completion_tokens": 5})) == TokenCount(
        3, 5
    )


def test_an_embedding_has_input_and_does_not_tell_output() -> None:
    reply = {"object": "list", "data": [], "model": "e", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    assert read_tokens(reply) == TokenCount(8, None)
    types = pytest.importorskip("openai.types")
    assert read_tokens(types.CreateEmbeddingResponse.model_validate(reply)) == TokenCount(8, None)


def test_llama_cpp_python_returns_this_shape_as_a_dict() -> None:
    reply = {
        "id": "cmpl-2",
        "object": "text_completion",
        "created": 1,
        "model": "tiny.gguf",
        "choices": [{"text": "hi", "index": 0, "logprobs": None, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 28, "total_tokens": 42},
    }
    assert read_tokens(reply) == TokenCount(14, 28)


def test_reasoning_beside_the_completion_is_output_where_the_total_says_so() -> None:
    # xAI: 32 + 9 + 94 = 135.
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": 135,
        "completion_tokens_details": {"reasoning_tokens": 94},
    }
    assert read_tokens(with_usage(CHAT, usage)) == TokenCount(32, 103, None, 94)


def test_sglangs_server_tells_reasoning_in_the_usage_itself() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 20, "total_tokens": 25, "reasoning_tokens": 12}
    assert read_tokens(with_usage(CHAT, usage)) == TokenCount(5, 20, None, 12)


def test_a_part_larger_than_its_whole_is_not_told() -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert read_tokens(with_usage(CHAT, usage)) == TokenCount(5, 2)


def test_a_count_that_is_none_is_not_told_and_leaves_the_other() -> None:
    assert read_tokens(with_usage(CHAT, {"prompt_tokens": 5, "completion_tokens": -1})) == TokenCount(5, None)


def test_the_first_reader_that_knows_a_reply_has_it() -> None:
    both = {"prompt_tokens": 1, "completion_tokens": 2, "input_tokens": 3, "output_tokens": 4}
    assert read_tokens({"usage": both, "type": "message", "role": "assistant"}) == TokenCount(1, 2)
    assert read_tokens({**CHAT, "eval_count": 7, "prompt_eval_count": 8}) == TokenCount(120, 50, 100, 30)
