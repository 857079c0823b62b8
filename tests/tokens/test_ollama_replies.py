"""Ollama's own interface."""

from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens

FINAL: dict[str, Any] = {
    "model": "llama3.2",
    "created_at": "2026-09-17T15:42:59Z",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 29,
    "eval_count": 3,
}
PART: dict[str, Any] = {
    "model": "llama3.2",
    "created_at": "2026-09-17T15:42:58Z",
    "message": {"role": "assistant", "content": "Hello"},
    "done": False,
}


def test_a_chat_response_is_read() -> None:
    assert read_tokens(FINAL) == TokenCount(29, 3)
    ollama = pytest.importorskip("ollama")
    assert read_tokens(ollama.ChatResponse.model_validate(FINAL)) == TokenCount(29, 3)


def test_a_generate_response_is_read() -> None:
    reply = {**FINAL, "response": "Hello"}
    assert read_tokens(reply) == TokenCount(29, 3)
    ollama = pytest.importorskip("ollama")
    assert read_tokens(ollama.GenerateResponse.model_validate(reply)) == TokenCount(29, 3)


def test_cached_tokens_are_within_the_prompts() -> None:
    assert read_tokens({**FINAL, "prompt_eval_cached_count": 24}) == TokenCount(29, 3, 24)


def test_a_prompt_left_out_because_it_was_cached_is_not_told() -> None:
    assert read_tokens({**FINAL, "prompt_eval_count": None}) == TokenCount(None, 3)


def test_a_part_of_a_stream_tells_nothing() -> None:
    assert read_tokens(PART) == TokenCount()


def test_a_stream_tells_its_tokens_in_the_last_chunk() -> None:
    ollama = pytest.importorskip("ollama")
    stream = StreamTokens()
    for part in (PART, PART):
        stream.add(ollama.ChatResponse.model_validate(part))
    assert stream.count() is None
    stream.add(ollama.ChatResponse.model_validate(FINAL))
    assert stream.count() == TokenCount(29, 3)


def test_a_list_of_chunks_is_one_query_and_a_list_of_replies_one_each() -> None:
    assert read_queries([PART, PART, FINAL]) == (TokenCount(29, 3),)
    assert read_queries([FINAL, FINAL]) == (TokenCount(29, 3), TokenCount(29, 3))
