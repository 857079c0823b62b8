"""Responses that are returned at their headers, from a server on this machine."""

import asyncio
import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.queries.drained_stream import drain, drain_async
from pytest_whq.queries.query import Answered
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.queries.tally import Tally
from pytest_whq.queries.unread import UNREAD, is_unread
from pytest_whq.testing import FakeClock

BODY = json.dumps(
    {"object": "chat.completion", "usage": {"prompt_tokens": 9, "completion_tokens": 5}}
).encode()
READ = TokenCount(9, 5)
NOW = FakeClock(0.0).now


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def streamed(library: str, url: str) -> Any:
    module = pytest.importorskip(library)
    if library == "requests":
        return module.get(url, stream=True)
    client = module.Client()
    return client.send(client.build_request("GET", url), stream=True)


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx2"])
class TestStreamed:
    def test_one_that_is_drained_is_read_and_stays_usable(self, library: str, url: str) -> None:
        response = streamed(library, url)
        assert is_unread(response)
        assert drain(response, NOW, 0.0) is response
        assert not is_unread(response)
        (query,) = ReplyReader().read(response).queries
        assert query.tokens == READ
        assert "".join(response.iter_lines() if library != "requests" else [response.text]) == BODY.decode()

    def test_one_that_the_test_reads_is_counted_when_its_window_closes(self, library: str, url: str) -> None:
        tally, response = Tally(), streamed(library, url)
        assert ReplyReader().receive(response, tally, NOW) is response
        assert tally.queries == 0
        _ = response.content if library == "requests" else response.read()
        tally.abandon_under_way()
        assert (tally.queries, tally.tokens, tally.failed_queries) == (1, READ, 0)

    def test_one_that_nobody_reads_has_failed(self, library: str, url: str) -> None:
        tally, response = Tally(), streamed(library, url)
        ReplyReader().receive(response, tally, NOW)
        tally.abandon_under_way()
        assert (tally.queries, dict(tally.failures)) == (0, {"unread response": 1})
        response.close()

    def test_one_whose_lines_were_read_is_a_query_whose_tokens_went_by(self, library: str, url: str) -> None:
        tally, response = Tally(), streamed(library, url)
        ReplyReader().receive(response, tally, NOW)
        assert list(response.iter_lines())
        tally.abandon_under_way()
        assert (tally.queries, tally.tokens, tally.failed_queries) == (1, TokenCount(), 0)


def test_an_asynchronous_one_is_awaited(url: str) -> None:
    httpx = pytest.importorskip("httpx2")

    async def ask() -> Any:
        async with httpx.AsyncClient() as client:
            response = await client.send(client.build_request("GET", url), stream=True)
            assert is_unread(response)
            # What cannot be awaited here is named.
            assert ReplyReader().read(drain(response, NOW, 0.0)) == Answered((), failures=(UNREAD,))
            return await drain_async(response, NOW, 0.0)

    (query,) = ReplyReader().read(asyncio.run(ask())).queries
    assert query.tokens == READ


def test_one_that_can_be_read_only_once_is_left_to_the_test_and_named(url: str) -> None:
    with urllib.request.urlopen(url) as response:
        assert ReplyReader().read(drain(response, NOW, 0.0)) == Answered((), failures=(UNREAD,))
        assert response.read() == BODY
        assert not is_unread(response)


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx2"])
def test_one_that_was_closed_is_named_and_no_error_is_raised(library: str, url: str) -> None:
    response = streamed(library, url)
    response.close()
    assert drain(response, NOW, 0.0) is response
    assert ReplyReader().read(response) == Answered((), failures=(UNREAD,))


def test_one_of_httpx_that_was_read_in_part_is_named(url: str) -> None:
    response = streamed(pytest.importorskip("httpx2").__name__, url)
    chunks = response.iter_raw(10)
    next(chunks)
    assert ReplyReader().read(drain(response, NOW, 0.0)) == Answered((), failures=(UNREAD,))
    list(chunks)
    assert not is_unread(response)


def test_one_of_requests_that_was_read_by_its_raw_one_is_read(url: str) -> None:
    response = streamed("requests", url)
    assert response.raw.read() == BODY
    assert not is_unread(response)


def test_what_holds_a_response_is_as_unread_as_that(url: str) -> None:
    urllib3 = pytest.importorskip("urllib3")
    with urllib3.PoolManager() as pool:
        raw = pool.request("GET", url, preload_content=False)
        bedrock = {"ResponseMetadata": {}, "body": SimpleNamespace(_raw_stream=raw)}
        assert ReplyReader().read(drain(bedrock, NOW, 0.0)) == Answered((), failures=(UNREAD,))
        raw.read()
        assert not is_unread(bedrock)
    of_a_client = SimpleNamespace(http_response=streamed("httpx2", url))
    assert is_unread(of_a_client)
    assert drain(of_a_client, NOW, 0.0) is of_a_client
    (query,) = ReplyReader().read(of_a_client).queries
    assert query.tokens == READ


class Content:
    """Of a response of aiohttp."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def at_eof(self) -> bool:
        return False

    def exception(self) -> Exception | None:
        return self.error


class ClientResponse:
    """A response as aiohttp has them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.content, self.headers = Content(error), {"Content-Type": "application/json"}
        self._body: bytes | None = None

    async def read(self) -> bytes:
        self._body = BODY
        return BODY

    async def json(self) -> Any:
        return json.loads(await self.read())


ClientResponse.__module__ = "aiohttp.client_reqrep"


def test_one_of_aiohttp_is_awaited_unless_it_was_closed() -> None:
    response, closed = ClientResponse(), ClientResponse(OSError("closed"))
    assert is_unread(response)
    asyncio.run(drain_async(response, NOW, 0.0))
    (query,) = ReplyReader().read(response).queries
    assert query.tokens == READ
    asyncio.run(drain_async(closed, NOW, 0.0))
    assert ReplyReader().read(closed) == Answered((), failures=(UNREAD,))


@pytest.mark.parametrize("reply", [None, "text", {}, [], object(), 5, NOW])
def test_other_replies_are_not_looked_into(reply: object) -> None:
    assert not is_unread(reply)
