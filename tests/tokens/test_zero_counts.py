"""A 0 that stands for "not told"."""

from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_tokens


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
