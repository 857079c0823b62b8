"""The chunks and events that clients yield, as objects and as dicts."""

from collections.abc import Iterable
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries

USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def gathered(chunks: Iterable[object]) -> TokenCount | None:
    stream = StreamTokens()
    for chunk in chunks:
        stream.add(chunk)
    return stream.count()


def chat_chunk(text: str | None, usage: dict[str, Any] | None = None) -> dict[str, Any]:
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": usage,
    }


def both_ways(model: str, chunks: list[dict[str, Any]]) -> Iterable[list[Any]]:
    """The chunks as dicts, and as objects of ``package:Class`` where the package is installed."""
    yield chunks
    package, name = model.split(":")
    kind = getattr(pytest.importorskip(package), name)
    yield [kind.model_validate(chunk) for chunk in chunks]


def test_openais_usage_is_in_the_last_chunk_that_has_no_choices() -> None:
    chunks = [chat_chunk("Hel"), chat_chunk("lo"), chat_chunk(None, USAGE)]
    for each in both_ways("openai.types.chat:ChatCompletionChunk", chunks):
        assert gathered(each) == TokenCount(12, 5)


def test_a_stream_without_usage_tells_nothing_however_many_chunks() -> None:
    for each in both_ways("openai.types.chat:ChatCompletionChunk", [chat_chunk("a")] * 5):
        assert gathered(each) is None


def test_no_chunk_at_all_tells_nothing() -> None:
    assert StreamTokens().count() is None


def test_of_running_totals_the_last_wins() -> None:
    chunks = [chat_chunk("a", {**USAGE, "completion_tokens": n}) for n in (1, 2, 3)]
    assert gathered(chunks) == TokenCount(12, 3)


def test_what_was_told_stands_while_the_stream_goes_on() -> None:
    stream = StreamTokens()
    stream.add(chat_chunk("a", USAGE))
    assert stream.count() == TokenCount(12, 5)
    stream.add(chat_chunk("b"))
    assert stream.count() == TokenCount(12, 5)


def test_totals_that_fall_are_no_running_totals() -> None:
    chunks = [chat_chunk("a", {**USAGE, "completion_tokens": n}) for n in (3, 1)]
    assert gathered(chunks) == TokenCount(12, None)


def test_events_of_openais_stream_helper_hold_the_chunk() -> None:
    events = [{"type": "content.delta", "delta": "hi"}, {"type": "chunk", "chunk": chat_chunk(None, USAGE)}]
    assert gathered(events) == TokenCount(12, 5)


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
RESPONSE_USAGE = {
    "input_tokens": 75,
    "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
    "output_tokens": 40,
    "output_tokens_details": {"reasoning_tokens": 16},
    "total_tokens": 115,
}


@pytest.mark.parametrize("last", ["completed", "incomplete"])
def test_a_response_tells_its_usage_in_the_event_that_ends_it(last: str) -> None:
    events: list[dict[str, Any]] = [
        {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
        {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "delta": "hi",
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
            "logprobs": [],
        },
    ]
    assert gathered(events) is None
    end = {
        "type": f"response.{last}",
        "sequence_number": 2,
        "response": {**RESPONSE, "usage": RESPONSE_USAGE},
    }
    assert gathered([*events, end]) == TokenCount(75, 40, 64, 16)
    assert read_queries([*events, end]) == (TokenCount(75, 40, 64, 16),)
    responses = pytest.importorskip("openai.types.responses")
    kind = getattr(responses, f"Response{last.title()}Event")
    objects = [
        responses.ResponseCreatedEvent.model_validate(events[0]),
        responses.ResponseTextDeltaEvent.model_validate(events[1]),
        kind.model_validate(end),
    ]
    assert gathered(objects) == TokenCount(75, 40, 64, 16)


def anthropic_events(start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start,
    }
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        text,
        text,
        {"type": "content_block_stop", "index": 0},
        *({"type": "message_delta", "delta": end, "usage": delta} for delta in deltas),
        {"type": "message_stop"},
    ]


START = {
    "input_tokens": 25,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 0,
    "output_tokens": 1,
}


def as_anthropic_objects(events: list[dict[str, Any]]) -> list[Any]:
    types = pytest.importorskip("anthropic.types")
    names = {
        kind: "Raw" + "".join(map(str.title, kind.split("_"))) + "Event"
        for kind in {e["type"] for e in events}
    }
    return [getattr(types, names[event["type"]]).model_validate(event) for event in events]


def test_anthropics_input_comes_first_and_its_output_last() -> None:
    events = anthropic_events(START, {"output_tokens": 10}, {"output_tokens": 15})
    assert gathered(events) == TokenCount(125, 15, 100)
    assert read_queries(events) == (TokenCount(125, 15, 100),)
    assert gathered(as_anthropic_objects(events)) == TokenCount(125, 15, 100)


def test_anthropics_last_delta_may_raise_the_input_and_tell_the_reasoning() -> None:
    delta = {"input_tokens": 30, "output_tokens": 15, "output_tokens_details": {"thinking_tokens": 9}}
    events = anthropic_events(START, delta)
    assert gathered(events) == TokenCount(130, 15, 100, 9)
    assert gathered(as_anthropic_objects(events)) == TokenCount(130, 15, 100, 9)


def test_anthropics_stream_that_breaks_off_does_not_tell_its_output() -> None:
    events = anthropic_events(START)[:4]
    assert gathered(events) == TokenCount(125, None, 100)


def test_of_geminis_usages_the_last_wins() -> None:
    first = {"promptTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": 30}
    last = {
        "promptTokenCount": 10,
        "thoughtsTokenCount": 20,
        "candidatesTokenCount": 7,
        "totalTokenCount": 37,
    }
    content = [{"content": {"parts": [{"text": "hi"}], "role": "model"}}]
    chunks = [
        {"candidates": content, "modelVersion": "gemini", "responseId": "r", "usageMetadata": usage}
        for usage in (first, last)
    ]
    for each in both_ways("google.genai.types:GenerateContentResponse", chunks):
        assert gathered(each) == TokenCount(10, 27, None, 20)
        assert read_queries(each) == (TokenCount(10, 27, None, 20),)


def test_geminis_stream_that_breaks_off_before_any_candidate_count_does_not_tell_its_output() -> None:
    assert gathered(
        [{"modelVersion": "gemini", "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}]
    ) == TokenCount(10, None)


@pytest.mark.parametrize("chunks", [["Hel", "lo", "!"], [b"Hel", b"lo"], ["{", '"a": 1', "}"]])
def test_plain_texts_tell_nothing(chunks: list[Any]) -> None:
    assert gathered(chunks) is None
