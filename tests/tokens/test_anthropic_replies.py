"""Anthropic's messages."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_tokens

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 21,
        "cache_creation_input_tokens": 188,
        "cache_read_input_tokens": 1000,
        "output_tokens": 393,
        "output_tokens_details": {"thinking_tokens": 90},
    },
}


def test_input_is_the_fresh_the_cached_and_the_newly_cached_together() -> None:
    expected = TokenCount(1209, 393, cached_input_tokens=1000, reasoning_tokens=90)
    assert read_tokens(MESSAGE) == expected
    types = pytest.importorskip("anthropic.types")
    assert read_tokens(types.Message.model_validate(MESSAGE)) == expected


def test_without_cache_counts_the_input_is_the_fresh_and_cached_is_not_told() -> None:
    reply = {**MESSAGE, "usage": {"input_tokens": 21, "output_tokens": 5}}
    assert read_tokens(reply) == TokenCount(21, 5, None, None)
    types = pytest.importorskip("anthropic.types")
    assert read_tokens(types.Message.model_validate(reply)) == TokenCount(21, 5, None, None)


def test_the_cache_counts_alone_give_a_message_away() -> None:
    usage = SimpleNamespace(
        input_tokens=1, cache_read_input_tokens=2, cache_creation_input_tokens=0, output_tokens=4
    )
    assert read_tokens(SimpleNamespace(usage=usage)) == TokenCount(3, 4, 2)


def test_a_message_without_usage_tells_nothing() -> None:
    assert read_tokens({**MESSAGE, "usage": None}) == TokenCount()


def test_a_message_that_is_no_models_is_not_read() -> None:
    assert read_tokens({"type": "message", "role": "user", "content": "hi"}) is None


@pytest.mark.parametrize(
    ("start", "delta", "count"),
    [
        ({"input_tokens": 15}, {"input_tokens": 0, "output_tokens": 9}, TokenCount(15, 9)),
        ({"input_tokens": 15}, {"output_tokens": 9}, TokenCount(15, 9)),
        ({"input_tokens": 0}, {"output_tokens": 9}, TokenCount(None, 9)),
        ({"input_tokens": 0}, {"input_tokens": 123, "output_tokens": 9}, TokenCount(123, 9)),
        ({"input_tokens": 0, "cache_read_input_tokens": 7}, {"output_tokens": 9}, TokenCount(7, 9, 7)),
    ],
)
def test_an_input_of_0_in_a_stream_stands_for_one_that_is_not_told(
    start: dict[str, int], delta: dict[str, int], count: TokenCount
) -> None:
    stream = StreamTokens()
    stream.add({"type": "message_start", "message": {**MESSAGE, "usage": {"output_tokens": 0, **start}}})
    stream.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta})
    assert stream.count() == count
