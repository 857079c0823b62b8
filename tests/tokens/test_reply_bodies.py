"""Replies that hold JSON: texts and HTTP responses."""

import json
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import read_queries, read_tokens

REPLY: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}
TEXT = json.dumps(REPLY)
COUNT = TokenCount(12, 5)


@pytest.mark.parametrize("text", [TEXT, TEXT.encode(), bytearray(TEXT.encode()), f"\n  {TEXT}\n"])
def test_the_json_text_of_a_reply_is_read(text: str | bytes) -> None:
    assert read_tokens(text) == COUNT
    assert read_queries(text) == (COUNT,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hi there.",
        b"Hi there.",
        b"\xff\xfe",
        "[1] A list of sources",
        f"[{TEXT}]",
        "{not json}",
        b"{\xff}",
        '{"usage": {"prompt_tokens": ' + "9" * 5000 + "}}",
        '{"a":' * 100_000,
        '{"answer": ' + json.dumps(["x" * 100] * 10_000) + "}",
    ],
    ids=range(11),
)
def test_any_other_text_is_not_read(text: str | bytes) -> None:
    assert read_tokens(text) is None
    assert read_queries(text) is None


def lines(*objects: dict[str, Any], before: str = "", after: str = "\n") -> str:
    return "".join(f"{before}{json.dumps(each)}{after}" for each in objects)


OLLAMA = lines(
    {"model": "m", "created_at": "2025-01-01T00:00:00Z", "response": "a", "done": False},
    {
        "model": "m",
        "created_at": "2025-01-01T00:00:00Z",
        "done": True,
        "prompt_eval_count": 23,
        "eval_count": 9,
    },
)
EVENTS = (
    lines(
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]},
        {
            "object": "chat.completion.chunk",
            "choices": [],
            "usage": {"prompt_tokens": 9, "completion_tokens": 5},
        },
        before="data: ",
        after="\n\n",
    )
    + "data: [DONE]\n\n"
)
TGI = lines(
    {"token": {"text": "a"}, "details": None},
    {"token": {"text": "b"}, "details": {"generated_tokens": 2, "input_length": 7}},
    before="data:",
    after="\n\n",
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (OLLAMA, TokenCount(23, 9)),
        (EVENTS, TokenCount(9, 5)),
        (f": ping\n\n{EVENTS}", TokenCount(9, 5)),
        (TGI, TokenCount(7, 2)),
    ],
)
def test_the_text_of_a_whole_stream_is_one_query(text: str, count: TokenCount) -> None:
    assert read_queries(text) == read_queries(text.encode()) == (count,)


def response(library: str, body: bytes, kind: str) -> Any:
    module = pytest.importorskip(library)
    if library == "httpx":
        return module.Response(200, content=body, headers={"Content-Type": kind})
    made = module.Response()
    made.status_code = 200
    made.headers["Content-Type"] = kind
    made._content = body
    return made


@pytest.mark.parametrize("library", ["httpx", "requests"])
class TestHTTPResponses:
    def test_a_json_body_is_read(self, library: str) -> None:
        assert read_tokens(response(library, TEXT.encode(), "application/json; charset=utf-8")) == COUNT

    def test_a_body_may_be_a_list_of_replies(self, library: str) -> None:
        batch = response(library, f"[{TEXT}, {TEXT}]".encode(), "application/json")
        assert read_queries(batch) == (COUNT, COUNT)
        assert read_tokens(batch) == TokenCount(24, 10)

    def test_responses_in_a_list_are_a_query_each(self, library: str) -> None:
        replies = [response(library, TEXT.encode(), "application/json") for _ in range(3)]
        assert read_queries(replies) == (COUNT, COUNT, COUNT)

    @pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl"])
    def test_an_object_a_line_is_read_whole(self, library: str, kind: str) -> None:
        assert read_queries(response(library, OLLAMA.encode(), kind)) == (TokenCount(23, 9),)
        both = f"{TEXT}\n{TEXT}\n"
        assert read_queries(response(library, both.encode(), kind)) == (COUNT, COUNT)

    def test_server_sent_events_are_read_whole(self, library: str) -> None:
        body = response(library, EVENTS.encode(), "text/event-stream; charset=utf-8")
        assert read_queries(body) == (TokenCount(9, 5),)

    @pytest.mark.parametrize("kind", ["text/plain", "text/html", ""])
    def test_a_body_of_another_type_is_not_read(self, library: str, kind: str) -> None:
        assert read_tokens(response(library, TEXT.encode(), kind)) is None

    @pytest.mark.parametrize("body", [b"", b"{", b"17", b'"text"', b'{"error": "busy"}'])
    def test_a_body_that_is_no_reply_is_not_read(self, library: str, body: bytes) -> None:
        assert read_tokens(response(library, body, "application/json")) is None


def test_a_body_that_has_not_arrived_is_not_waited_for() -> None:
    requests = pytest.importorskip("requests")
    streamed = requests.Response()
    streamed.headers["Content-Type"] = "application/json"
    assert read_tokens(streamed) is None
    assert not streamed._content_consumed


def test_an_httpx_body_that_has_not_arrived_is_not_waited_for() -> None:
    httpx = pytest.importorskip("httpx")
    kind = {"Content-Type": "application/json"}
    streamed = httpx.Response(200, content=iter([TEXT.encode()]), headers=kind)
    assert read_tokens(streamed) is None
    assert streamed.read() == TEXT.encode()


class AwaitedResponse:
    """What aiohttp returns: ``json`` is to be awaited."""

    headers = {"Content-Type": "application/json"}  # noqa: RUF012

    async def json(self) -> dict[str, Any]:
        return REPLY


def test_a_body_that_must_be_awaited_is_not_read() -> None:
    assert read_tokens(AwaitedResponse()) is None


def test_a_raw_response_of_the_openai_client_is_read() -> None:
    openai = pytest.importorskip("openai")
    httpx = pytest.importorskip("httpx")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=REPLY))
    with openai.OpenAI(
        api_key="none", base_url="http://test", http_client=httpx.Client(transport=transport)
    ) as client:
        raw = client.chat.completions.with_raw_response.create(model="m", messages=[])
    assert read_tokens(raw) == COUNT
    assert read_tokens(raw.parse()) == COUNT
