"""A 0 that stands for "not told"."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_tokens
from pytest_whq.tokens.output import holds_output

USAGE = {"input_tokens": 9, "output_tokens": 0}
USAGE_OF_CHAT = {"prompt_tokens": 9, "completion_tokens": 0}
GEMINI = {"promptTokenCount": 9, "candidatesTokenCount": 0}


def chat(prompt: int, completion: int, text: str = "hi", **message: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    choices = [{"index": 0, "message": {"role": "assistant", "content": text, **message}}]
    return {"object": "chat.completion", "choices": choices, "usage": usage}


def test_zeros_beside_text_are_not_told() -> None:
    assert read_tokens(chat(0, 0)) == TokenCount()
    assert read_tokens(chat(9, 0)) == TokenCount(9, None)
    assert read_tokens(chat(9, 0, "", tool_calls=[{"id": "1"}])) == TokenCount(9, None)
    assert read_tokens(chat(0, 5)) == TokenCount(None, 5)


def test_a_model_that_wrote_nothing_has_written_0_tokens() -> None:
    assert read_tokens(chat(9, 0, "")) == TokenCount(9, 0)


@pytest.mark.parametrize(
    "reply",
    [
        {"message": {"content": "hi"}, "done": True, "prompt_eval_count": 9, "eval_count": 0},
        {"text": "hi", "meta_info": {"prompt_tokens": 9, "completion_tokens": 0}},
        {"type": "message", "content": [{"text": "hi"}], "usage": {"input_tokens": 9, "output_tokens": 0}},
        {"results": [{"text": "hi", "prompt_tokens": 9, "completion_tokens": 0}]},
    ],
)
def test_every_family_is_looked_at(reply: object) -> None:
    assert read_tokens(reply) == TokenCount(9, None)


def test_zeros_at_the_end_of_a_stream_leave_what_was_told_before() -> None:
    stream = StreamTokens()
    for prompt, completion in ((9, 1), (9, 2), (0, 0)):
        stream.add({**chat(prompt, completion, ""), "object": "chat.completion.chunk"})
    assert stream.count() == TokenCount(9, 2)


@pytest.mark.parametrize(
    "reply",
    [
        {"output": [{"content": [{"text": "hi"}]}], "usage": {"input_tokens": 9, "output_tokens": 0}},
        {"output": [{"arguments": "{}"}], "usage": {"input_tokens": 9, "output_tokens": 0}},
        {"generated_text": "hi", "details": {"generated_tokens": 0, "input_length": 9}},
        {"message": {"content": "", "thinking": "hm"}, "prompt_eval_count": 9, "eval_count": 0},
        {"prompt_token_ids": [1] * 9, "outputs": [{"token_ids": [], "text": "hi"}], "finished": True},
        {"raw": {"type": "ai", "content": "hi", "usage_metadata": USAGE}, "parsing_error": None},
        {"messages": [{"type": "human"}, {"type": "ai", "content": "hi", "usage_metadata": USAGE}]},
    ],
)
def test_what_was_written_is_found_wherever_it_stands(reply: object) -> None:
    assert read_tokens(reply) == TokenCount(9, None)


@pytest.mark.parametrize(
    "reply",
    [
        {"object": "response", "output": [], "text": {"format": {}}, "reasoning": {}, "usage": USAGE},
        {"candidates": [{"content": {"parts": []}}], "usageMetadata": GEMINI},
    ],
)
def test_what_only_repeats_the_question_was_not_written(reply: object) -> None:
    assert read_tokens(reply) == TokenCount(9, 0)


def chunk(text: str, usage: Any = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": {"role": "assistant", "content": text}}]
    return {"object": "chat.completion.chunk", "choices": choices, "usage": usage}


LAST = {"object": "chat.completion.chunk", "choices": [], "usage": USAGE_OF_CHAT}


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk("hi"), LAST],
        [
            {"response": "hi", "done": False},
            {"response": "", "done": True, "prompt_eval_count": 9, "eval_count": 0},
        ],
        [
            {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
            {"type": "content_block_delta", "delta": {"text": "hi"}},
            {"type": "message_delta", "usage": {"output_tokens": 0}},
        ],
        [
            {"type": "response.output_text.delta", "delta": "hi"},
            {"type": "response.completed", "response": {"object": "response", "usage": USAGE}},
        ],
        [
            {"contentBlockDelta": {"delta": {"text": "hi"}}},
            {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 0}}},
        ],
        [{"token": {"text": "hi"}}, {"token": {}, "details": {"generated_tokens": 0, "input_length": 9}}],
    ],
)
def test_a_0_at_the_end_of_a_stream_of_text_is_not_told(chunks: list[Any]) -> None:
    stream = StreamTokens()
    for one in chunks:
        stream.add(one)
    assert stream.count() == TokenCount(9, None)


def test_a_0_at_the_end_of_a_stream_of_nothing_is_0() -> None:
    stream = StreamTokens()
    stream.add(chunk(""))
    stream.add(LAST)
    assert stream.count() == TokenCount(9, 0)


@pytest.mark.parametrize("asked", [{}, {"content": "hi"}, {"content": "hi", "spec": ["content"]}])
def test_a_mock_has_written_nothing_whatever_it_answers(asked: dict[str, Any]) -> None:
    assert not holds_output(MagicMock(**asked))
