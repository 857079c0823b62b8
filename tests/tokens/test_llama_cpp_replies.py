"""llama.cpp's server, in its own shape and in OpenAI's."""

from typing import Any

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens

TIMINGS = {"cache_n": 236, "prompt_n": 1, "prompt_ms": 30.9, "predicted_n": 35, "predicted_ms": 661.1}
NATIVE: dict[str, Any] = {
    "content": "hi",
    "stop": True,
    "tokens_predicted": 35,
    "tokens_evaluated": 237,
    "tokens_cached": 271,
    "timings": TIMINGS,
}
CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "tiny",
    "choices": [{"index": 0, "finish_reason": None, "delta": {"content": "hi"}}],
}


def test_the_prompt_is_what_was_processed_and_what_was_reused() -> None:
    assert read_tokens(NATIVE) == TokenCount(237, 35, cached_input_tokens=236)
    assert read_tokens({"content": "hi", "timings": TIMINGS}) == TokenCount(237, 35, 236)


def test_before_cache_n_the_prompt_is_what_the_reply_calls_evaluated() -> None:
    timings = {"prompt_n": 1, "predicted_n": 35}
    assert read_tokens({**NATIVE, "timings": timings}) == TokenCount(237, 35, None)


def test_what_was_processed_alone_is_not_the_prompt() -> None:
    assert read_tokens({"timings": {"prompt_n": 1, "predicted_n": 35}}) == TokenCount(None, 35)


def test_its_usage_goes_before_its_timings() -> None:
    usage = {"prompt_tokens": 237, "completion_tokens": 36, "prompt_tokens_details": {"cached_tokens": 236}}
    reply = {"object": "chat.completion", "choices": [], "usage": usage, "timings": TIMINGS}
    assert read_tokens(reply) == TokenCount(237, 36, 236)


def test_its_timings_stand_in_where_usage_was_not_asked_for() -> None:
    stream = StreamTokens()
    stream.add(CHUNK)
    assert stream.count() is None
    stream.add({**CHUNK, "timings": TIMINGS})
    assert stream.count() == TokenCount(237, 35, 236)


def test_parts_of_a_native_stream_are_one_query() -> None:
    parts = [{"content": "h", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 237}, NATIVE]
    assert read_queries(parts) == (TokenCount(237, 35, 236),)
