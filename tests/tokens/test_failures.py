"""Errors in place of answers: refusals, bodies and events of streams that say so, and what is none."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from http_answers import Answer, answering

from pytest_whq.model import TokenCount
from pytest_whq.tokens import Failed, StreamTokens, read_queries, read_tokens

OPENAI = {"error": {"message": "Slow down.", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}
ANTHROPIC = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
CHAT = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
}
CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
RESPONSE: dict[str, Any] = {
    "object": "response",
    "id": "r",
    "status": "completed",
    "error": None,
    "output": [],
}
LIMITED = (Failed("error rate_limit_exceeded"),)


def events(*bodies: object, before: str = "") -> str:
    return "".join(f"{before}data: {json.dumps(body)}\n\n" for body in bodies)


def streamed(*chunks: object) -> Failed | None:
    stream = StreamTokens()
    for chunk in chunks:
        stream.add(chunk)
    stream.count()
    return stream.failed


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with answering(lambda path, _: Answer("{}", int(path[1:]), "application/json")) as url:
        yield url


class TestRefusals:
    @pytest.mark.parametrize("library", ["httpx", "httpx2", "requests"])
    def test_a_status_of_400_or_above_is_a_failure_by_its_number(self, library: str, url: str) -> None:
        module = pytest.importorskip(library)
        found = [read_queries(module.get(f"{url}/{status}")) for status in (200, 399, 400, 429, 503)]
        assert found == [None, None, *((Failed(f"HTTP {status}"),) for status in (400, 429, 503))]

    def test_so_it_is_of_urllib3(self, url: str) -> None:
        with pytest.importorskip("urllib3").PoolManager() as pool:
            assert read_queries(pool.request("GET", f"{url}/404")) == (Failed("HTTP 404"),)
            assert read_queries(pool.request("GET", f"{url}/200")) is None

    def test_so_it_is_of_the_standard_library(self, url: str) -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request("GET", "/500")
        with connection.getresponse() as response:
            assert read_queries(response) == (Failed("HTTP 500"),)
        connection.close()

    def test_so_it_is_of_aiohttp(self, url: str) -> None:
        aiohttp = pytest.importorskip("aiohttp")

        async def ask(status: int) -> object:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/{status}") as response:
                await response.read()
                return read_queries(response)

        assert asyncio.run(ask(429)) == (Failed("HTTP 429"),)
        assert asyncio.run(ask(200)) is None

    def test_so_it_is_of_what_holds_a_response_as_the_clients_do(self) -> None:
        held = SimpleNamespace(status_code=529, headers={})
        assert read_queries(SimpleNamespace(http_response=held)) == (Failed("HTTP 529"),)

    @pytest.mark.parametrize("make", [Mock, MagicMock])
    def test_what_a_mock_answers_is_no_status(self, make: Any) -> None:
        assert read_queries(make()) is None
        mock = make(status_code=429, headers={}, error={"message": "no"}, object="chat.completion")
        assert read_queries(mock) in (None, (TokenCount(),))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (OPENAI, "error rate_limit_exceeded"),
        (ANTHROPIC, "error overloaded_error"),
        (
            {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}},
            "error RESOURCE_EXHAUSTED",
        ),
        ({"error": {"code": 503, "message": "Loading model"}}, "error 503"),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, "error overloaded"),
        ({"error": 'model "x" not found'}, "error reply"),
        ({"error": "Too Many Requests", "message": "Slow down.", "statusCode": 429}, "error reply"),
        (
            {"object": "error", "message": "too long", "type": "BadRequestError", "code": 400},
            "error BadRequestError",
        ),
        ({"error": {"type": "\x1b[31mred", "message": ""}}, "error reply"),
    ],
)
def test_an_error_in_place_of_an_answer_is_a_failure_by_its_name(body: dict[str, Any], kind: str) -> None:
    failed = (Failed(kind),)
    assert read_queries(body) == read_queries([body]) == failed
    assert read_queries(json.dumps(body)) == read_queries(json.dumps(body).encode()) == failed
    assert read_tokens(body) is None


@pytest.mark.parametrize(
    "reply",
    [
        {**CHAT, "error": None},
        {**CHAT, "error": {"message": "a filter failed"}},
        {"message": {"role": "assistant", "content": "Hi."}, "error": "a tool failed"},
        {"response": "Hi.", "error": "cut"},
        {"error": None},
        {"error": ""},
        {"error": {}},
        {"error": False},
        RESPONSE,
        SimpleNamespace(error="my own", answer=None),
        '{"error": null}',
        'It answers:\n{"error": "not found"}\n',
    ],
)
def test_what_has_text_or_tokens_beside_an_error_or_no_error_is_none(reply: Any) -> None:
    assert not any(isinstance(count, Failed) for count in read_queries(reply) or ())


@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_the_body_of_a_response_tells_of_an_error_that_its_status_does_not(library: str) -> None:
    module = pytest.importorskip(library)
    response = module.Response(200) if library == "httpx" else module.Response()
    response.status_code, response.headers["content-type"] = 200, "application/json"
    response._content = json.dumps(OPENAI).encode()
    assert read_queries(response) == LIMITED


def test_a_chat_that_the_client_made_of_an_error_is_one() -> None:
    chat = pytest.importorskip("openai.types.chat").ChatCompletion
    assert read_queries(chat.construct(**OPENAI)) == LIMITED
    assert read_queries(chat.model_validate({**CHAT, "id": "c", "created": 0, "model": "m"})) == (
        TokenCount(12, 3),
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [({"code": "server_error", "message": "no"}, "error server_error"), (None, "response failed")],
)
def test_a_response_that_says_so_has_failed_whatever_it_wrote(error: Any, kind: str) -> None:
    body = {**RESPONSE, "status": "failed", "error": error, "usage": {"input_tokens": 3, "output_tokens": 1}}
    assert read_queries(body) == (Failed(kind),)
    assert streamed({"type": "response.created"}, {"type": "response.failed", "response": body}) == Failed(
        kind
    )
    responses = pytest.importorskip("openai.types.responses")
    made = responses.Response.construct(**{**body, "error": error and responses.ResponseError(**error)})
    assert read_queries(made) == (Failed(kind),)
    event = responses.ResponseFailedEvent.construct(type="response.failed", response=made)
    assert streamed(event) == Failed(kind)


class TestStreams:
    @pytest.mark.parametrize("size", [1, 7, 1000])
    def test_one_that_ends_in_an_error_has_failed_however_it_is_cut(self, size: int) -> None:
        text = f"{events(CHUNK, OPENAI)}data: [DONE]\n\n"
        pieces = [text[n : n + size] for n in range(0, len(text), size)]
        assert (streamed(*pieces),) == (streamed(*text.splitlines()),) == LIMITED
        assert read_queries(text) == read_queries(text.splitlines()) == LIMITED

    def test_an_event_by_the_name_of_error_need_not_tell_more(self) -> None:
        text = f"{events(CHUNK)}event: error\ndata: overloaded\n\n"
        assert streamed(*text.splitlines()) == Failed("error event")
        assert read_queries(text) == read_queries(text.encode()) == (Failed("error event"),)
        assert read_queries(events(ANTHROPIC, before="event: error\n")) == (Failed("error overloaded_error"),)

    def test_an_error_of_the_responses_api_stands_in_the_event_itself(self) -> None:
        event = {
            "type": "error",
            "code": "server_error",
            "message": "no",
            "param": None,
            "sequence_number": 1,
        }
        assert streamed({"type": "response.created"}, event) == Failed("error server_error")
        kind = pytest.importorskip("openai.types.responses").ResponseErrorEvent
        assert streamed(kind.model_validate(event)) == Failed("error server_error")

    def test_an_error_may_stand_in_a_chunk_of_a_chat(self) -> None:
        last = {**CHUNK, "error": {"code": 502, "message": "gone"}, "choices": [{"delta": {"content": ""}}]}
        assert streamed(CHUNK, last) == Failed("error 502")
        assert read_queries([CHUNK, last]) == (Failed("error 502"),)

    def test_one_that_goes_on_after_an_error_has_not_failed(self) -> None:
        assert streamed(CHUNK, {"type": "tool", "error": "not found"}, CHUNK) is None

    def test_an_object_a_line_may_be_an_error(self) -> None:
        lines = [json.dumps({"response": "Hi", "done": False}), json.dumps({"error": "out of memory"})]
        assert streamed(*lines) == streamed("\n".join(lines).encode()) == Failed("error reply")

    @pytest.mark.parametrize(
        "text",
        [
            'As JSON:\n{"error": "not found"}\n',
            '{\n"tests": [\n{"error": "not found"}\n]\n}\n',
            'Send this:\n\ndata: {"error": "not found"}\n\nevent: error\n',
        ],
    )
    def test_what_a_model_writes_of_errors_is_none(self, text: str) -> None:
        for size in (1, 4, 1000):
            assert streamed(*(text[n : n + size] for n in range(0, len(text), size))) is None
        assert streamed(*text.splitlines(keepends=True)) is None


def test_in_a_list_each_reply_fails_by_itself() -> None:
    refused = SimpleNamespace(status_code=500, headers={})
    assert read_queries([CHAT, refused, OPENAI, TimeoutError()]) == (
        *(TokenCount(12, 3), Failed("HTTP 500")),
        *(*LIMITED, Failed("TimeoutError")),
    )
    assert read_queries([object(), refused, "text"]) == (TokenCount(), Failed("HTTP 500"), TokenCount())
    assert read_tokens([CHAT, refused]) == TokenCount(12, 3)
