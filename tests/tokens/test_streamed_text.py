"""Streams as text: server-sent events, and JSON objects a line."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens
from pytest_whq.tokens.bodies import JsonLines

CHUNK = {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "née"}}], "usage": None}
LAST = {**CHUNK, "choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}
EVENTS = [f"data: {json.dumps(event, ensure_ascii=False)}" for event in (CHUNK, CHUNK, LAST)]
LINES = [*EVENTS, "data: [DONE]"]
BODY = "".join(f"{line}\n\n" for line in LINES)
COUNT = TokenCount(12, 5)


def gathered(chunks: Iterable[object]) -> TokenCount | None:
    stream = StreamTokens()
    for chunk in chunks:
        stream.add(chunk)
    return stream.count()


def cut(text: Any, size: int) -> list[Any]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_lines_are_read_as_a_clients_line_iterator_yields_them() -> None:
    assert gathered(LINES) == COUNT
    assert gathered(line.encode() for line in LINES) == COUNT
    assert gathered(part for line in LINES for part in (line, "")) == COUNT


def test_lines_with_their_ends_are_read() -> None:
    assert gathered(BODY.splitlines(keepends=True)) == COUNT
    assert gathered(BODY.replace("\n", "\r\n").encode().splitlines(keepends=True)) == COUNT


@pytest.mark.parametrize("size", [7, 50, 101, 1000])
def test_a_body_cut_anywhere_is_read(size: int) -> None:
    assert gathered(cut(BODY, size)) == COUNT
    assert gathered(cut(BODY.encode(), size)) == COUNT


def test_data_without_a_space_after_the_colon_is_read() -> None:
    assert gathered(line.replace("data: ", "data:") for line in LINES) == COUNT


def test_anthropics_events_are_read_from_their_lines() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 25, "output_tokens": 1}}}
    delta = {"type": "message_delta", "usage": {"output_tokens": 15}}
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in (start, delta))
    assert gathered([body]) == TokenCount(25, 15)
    assert gathered(body.splitlines()) == TokenCount(25, 15)
    assert gathered(cut(body.encode(), 20)) == TokenCount(25, 15)


NDJSON = [
    json.dumps({"model": "m", "created_at": "t", "message": {"content": "hi"}, "done": False}),
    json.dumps({"model": "m", "created_at": "t", "done": True, "prompt_eval_count": 29, "eval_count": 3}),
]


@pytest.mark.parametrize("end", ["\n", ""])
def test_objects_a_line_are_read_with_or_without_a_last_line_end(end: str) -> None:
    body = "\n".join(NDJSON) + end
    assert gathered(NDJSON) == TokenCount(29, 3)
    assert gathered([body]) == TokenCount(29, 3)
    assert gathered(cut(body.encode(), 30)) == TokenCount(29, 3)


def test_a_line_that_never_was_json_does_not_swallow_the_next() -> None:
    assert gathered(["data: {oops", *LINES]) == COUNT


def test_a_body_that_breaks_off_tells_nothing() -> None:
    assert gathered([BODY[: BODY.index('"prompt_tokens"')]]) is None


def test_an_answer_written_in_json_tells_nothing() -> None:
    answer = json.dumps({"usage": "a lot", "steps": [{"n": n} for n in range(100)]}, indent=1)
    assert gathered(cut(answer, 4)) is None


def test_an_unfinished_line_is_not_kept_without_end() -> None:
    lines = JsonLines()
    for _ in range(40):
        assert lines.feed("{" + "x" * 100_000) == []
        assert len(lines._rest) <= 1 << 20


def test_the_openai_clients_chunks_are_read_from_a_real_stream() -> None:
    openai = pytest.importorskip("openai")
    httpx = pytest.importorskip("httpx")
    kind = {"Content-Type": "text/event-stream"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=BODY, headers=kind))
    http_client = httpx.Client(transport=transport)
    with openai.OpenAI(api_key="none", base_url="http://test", http_client=http_client) as client:
        assert gathered(client.chat.completions.create(model="m", messages=[], stream=True)) == COUNT
