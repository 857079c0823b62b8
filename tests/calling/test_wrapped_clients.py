"""The real clients of OpenAI and Anthropic, wrapped, against a server of canned answers."""

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
from open_window import OpenWindow

from pytest_whq.calling.clients import instrumented, is_client
from pytest_whq.calling.recording import recording
from pytest_whq.model import TokenCount

CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}
MESSAGE = {
    "id": "1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 4},
}


def events(*contents: dict[str, Any], named: bool = False) -> bytes:
    lines = []
    for content in contents:
        if named:
            lines.append(f"event: {content['type']}\n")
        lines.append(f"data: {json.dumps(content)}\n\n")
    return "".join([*lines, "" if named else "data: [DONE]\n\n"]).encode()


def chat_chunk(content: str | None, usage: Any = None) -> dict[str, Any]:
    choices = [] if usage else [{"index": 0, "delta": {"content": content}, "finish_reason": None}]
    base = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return {**base, "choices": choices, "usage": usage}


CHAT_EVENTS = events(chat_chunk("H"), chat_chunk("i"), chat_chunk(None, CHAT["usage"]))
MESSAGE_EVENTS = events(
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 6},
    },
    {"type": "message_stop"},
    named=True,
)


def answer(request: Any, make: Callable[..., Any]) -> Any:
    asked = json.loads(request.content)
    if asked["model"] == "refused":
        return make(429, json={"error": {"message": "slow down"}})
    is_chat = request.url.path.endswith("completions")
    if asked.get("stream"):
        content = CHAT_EVENTS if is_chat else MESSAGE_EVENTS
        return make(200, content=content, headers={"content-type": "text/event-stream"})
    return make(200, json=CHAT if is_chat else MESSAGE)


class Bench(OpenWindow):
    """A ledger with one window open, and clients wrapped for it."""

    def wrap(self, client: Any) -> Any:
        assert is_client(client)
        return instrumented(client, lambda call: recording(self.ledger, lambda: self.meter, call))

    @property
    def counted(self) -> tuple[int, dict[str, int], TokenCount]:
        tally = self.meter.tally
        return tally.queries, dict(tally.failures), tally.tokens


def http_client(base: Any, *, is_async: bool) -> Any:
    """A client of the HTTP library that ``base`` is built on, which answers by itself."""
    httpx = next(getattr(base, name) for name in ("httpx", "httpx2") if hasattr(base, name))
    mock = httpx.MockTransport(lambda request: answer(request, httpx.Response))
    return (httpx.AsyncClient if is_async else httpx.Client)(transport=mock)


# Both are imported where they are used: that takes seconds, in every process that collects this file.
def openai_client(kind: str = "OpenAI") -> Any:
    openai: Any = pytest.importorskip("openai")
    http = http_client(openai._base_client, is_async=kind.startswith("Async"))
    return getattr(openai, kind)(api_key="none", base_url="http://test/v1", http_client=http, max_retries=0)


def anthropic_client(kind: str = "Anthropic") -> Any:
    anthropic: Any = pytest.importorskip("anthropic")
    http = http_client(anthropic._base_client, is_async=kind.startswith("Async"))
    return getattr(anthropic, kind)(api_key="none", base_url="http://test", http_client=http, max_retries=0)


ASK: Any = {"model": "m", "messages": [{"role": "user", "content": "Say hi."}]}


def test_each_call_of_the_openai_client_is_a_query() -> None:
    from openai import OpenAI

    bench = Bench()
    client = bench.wrap(openai_client())
    reply = client.chat.completions.create(**ASK, max_tokens=8)
    assert reply.choices[0].message.content == "Hi."
    assert isinstance(client, OpenAI)
    assert bench.counted == (1, {}, TokenCount(9, 4))
    assert (bench.meter.tally.outputs.cut, bench.meter.tally.outputs.asked) == (1, 8)


def test_copies_and_raw_responses_record_as_well() -> None:
    bench = Bench()
    client = bench.wrap(openai_client())
    client.with_options(timeout=1).chat.completions.create(**ASK)
    assert client.chat.completions.with_raw_response.create(**ASK).parse().usage.total_tokens == 13
    assert bench.counted[0] == 2


def test_its_streams_stay_what_they_are_and_are_counted_at_their_end() -> None:
    from openai import Stream

    bench = Bench()
    stream = bench.wrap(openai_client()).chat.completions.create(**ASK, stream=True)
    assert isinstance(stream, Stream)
    assert bench.counted[0] == 0
    assert [chunk.choices[0].delta.content for chunk in stream if chunk.choices] == ["H", "i"]
    assert bench.counted == (1, {}, TokenCount(9, 4))


def test_a_refusal_is_a_failed_query_by_its_kind() -> None:
    from openai import RateLimitError

    bench = Bench()
    with pytest.raises(RateLimitError):
        bench.wrap(openai_client()).chat.completions.create(**{**ASK, "model": "refused"})
    assert bench.counted[:2] == (0, {"RateLimitError": 1})


def test_the_async_client_is_recorded_too() -> None:
    bench = Bench()

    async def ask() -> None:
        async with bench.wrap(openai_client("AsyncOpenAI")) as client:
            await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True)
            assert len([chunk async for chunk in stream]) == 3

    asyncio.run(ask())
    assert bench.counted == (2, {}, TokenCount(18, 8))


def test_anthropics_messages_and_streams_are_queries() -> None:
    bench = Bench()
    client = bench.wrap(anthropic_client())
    client.messages.create(**ASK, max_tokens=8)
    assert len(list(client.messages.create(**ASK, max_tokens=8, stream=True))) == 6
    assert bench.counted == (2, {}, TokenCount(18, 10))


def test_the_helpers_of_anthropics_streams_read_through_the_recording() -> None:
    bench = Bench()
    client = bench.wrap(anthropic_client())
    with client.messages.stream(**ASK, max_tokens=8) as stream:
        assert list(stream.text_stream) == ["Hi."]
    with client.messages.stream(**ASK, max_tokens=8) as stream:
        assert stream.get_final_text() == "Hi."
    assert bench.counted == (2, {}, TokenCount(18, 12))


def test_anthropics_async_client_too() -> None:
    bench = Bench()

    async def ask() -> None:
        client = bench.wrap(anthropic_client("AsyncAnthropic"))
        await client.messages.create(**ASK, max_tokens=8)
        async with client.messages.stream(**ASK, max_tokens=8) as stream:
            assert [text async for text in stream.text_stream] == ["Hi."]

    asyncio.run(ask())
    assert bench.counted == (2, {}, TokenCount(18, 10))


def test_functions_and_classes_are_no_clients() -> None:
    from openai import OpenAI

    assert not any(is_client(target) for target in (print, OpenAI, object(), {}))


FAKE_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "fake"}, "finish_reason": "stop"}


def said(client: Any) -> str:
    content: str = client.chat.completions.create(**ASK).choices[0].message.content
    return content


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_patched_into_a_client_answers_and_is_recorded(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openai.types.chat import ChatCompletion

    fake = ChatCompletion.model_validate({**CHAT, "choices": [FAKE_CHOICE]})
    bench, client = Bench(), openai_client()
    wrapped = bench.wrap(client)
    patched = client if when == "before" else wrapped
    with monkeypatch.context() as patch:
        patch.setattr(patched.chat.completions, "create", lambda **_: fake)
        assert (said(wrapped), said(client)) == ("fake", "fake")
        assert bench.counted[0] == 1
    # Nothing of the recording is left behind in the client itself.
    assert (said(wrapped), said(client)) == ("Hi.", "Hi.")
    assert bench.counted[0] == 2


def test_settings_reach_the_client_and_are_taken_back() -> None:
    client = openai_client()
    wrapped = Bench().wrap(client)
    wrapped.api_key = "new"
    assert client.api_key == "new"
    wrapped.mine = 1
    del wrapped.mine
    assert not hasattr(client, "mine")


def test_a_tracer_that_wraps_the_wrapped_client_in_place_sees_each_query_and_it_counts_once() -> None:
    bench, seen = Bench(), []
    wrapped = bench.wrap(openai_client())
    original = wrapped.chat.completions.create

    @functools.wraps(original)
    def traced(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["model"])
        return original(*args, **kwargs)

    wrapped.chat.completions.create = traced
    said(wrapped)
    said(wrapped.with_options(timeout=1))
    assert seen == ["m"]  # A copy of a client has none of its patches.
    assert bench.counted == (2, {}, TokenCount(18, 8))


def test_a_client_that_is_wrapped_twice_records_once() -> None:
    bench = Bench()
    said(bench.wrap(bench.wrap(openai_client())))
    assert bench.counted[0] == 1
