"""OpenAI's client against the example project's server, which computes each of its tokens."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from measured_project import MeasuredProject

pytestmark = [pytest.mark.engine, pytest.mark.once]

HEAD = """
    import asyncio
    import engine, openai, pytest

    ASK = dict(model="chat-small", max_tokens=12)
    USAGE = {"include_usage": True}

    def user(text):
        return [{"role": "user", "content": text}]

    @pytest.fixture
    def client():
        with openai.OpenAI(base_url=engine.url, api_key="none") as client:
            yield client
"""


@pytest.fixture
def engine(real_project: MeasuredProject, chat_service: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    found = SimpleNamespace(url=chat_service, usages=[], project=real_project)
    monkeypatch.setitem(sys.modules, "engine", found)
    return found


def measured(engine: Any, test: str) -> dict[str, Any]:
    """The record of a project's only test."""
    engine.project.tests(HEAD + test)
    engine.project.run().assert_outcomes(passed=1)
    (record,) = engine.project.records.values()
    found: dict[str, Any] = record
    return found


def counts(record: dict[str, Any]) -> tuple[int, int, int]:
    return record["queries"], record["input_tokens"], record["output_tokens"]


def told(engine: Any) -> tuple[int, int, int]:
    usages = engine.usages
    return (
        len(usages),
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
    )


def test_a_wrapped_client_records_whole_and_streamed_replies(engine: Any) -> None:
    record = measured(
        engine,
        """
    def test_client(whq, client):
        client = whq.wrap(client)
        with whq.measure():
            whole = client.chat.completions.create(messages=user("Hi."), **ASK)
            *chunks, last = client.chat.completions.create(
                messages=user("Name a colour."), stream=True, stream_options=USAGE, **ASK
            )
        assert isinstance(whole, openai.types.chat.ChatCompletion)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        engine.usages = [whole.usage, last.usage]
""",
    )
    assert counts(record) == told(engine)
    assert record["distributions"]["latency_s"]["count"] == 2
    assert record["distributions"]["ttft_s"]["count"] == 1


def test_a_stream_without_usage_is_a_query_whose_tokens_are_missing(engine: Any) -> None:
    record = measured(
        engine,
        """
    def test_stream(whq, client):
        with whq.measure() as window:
            list(window.record(client.chat.completions.create(messages=user("Hi."), stream=True, **ASK)))
""",
    )
    assert (record["queries"], record["output_tokens"]) == (1, None)
    assert "include_usage" in record["why"]["tokens_missing"]


def test_a_load_of_async_streams_counts_as_the_server_does(engine: Any) -> None:
    record = measured(
        engine,
        """
    @pytest.mark.asyncio
    async def test_load(whq):
        async with openai.AsyncOpenAI(base_url=engine.url, api_key="none") as client:
            async def ask(text):
                async for chunk in await client.chat.completions.create(
                    messages=user(text), stream=True, stream_options=USAGE, **ASK
                ):
                    yield chunk

            prompts = ["Hi." + "!" * n for n in range(40)]
            replies = await whq.load(ask, prompts, concurrency=8)
        assert len(replies) == 40
        engine.usages = [reply[-1].usage for reply in replies]
""",
    )
    load = record["load"]
    queries = record["queries"] + load["ramp_up"]["queries"] + load["tail"]["queries"]
    assert (queries, record["failed_queries"]) == (40, 0)
    # The steady state's queries are some of those; each has a prompt of its own length.
    assert record["output_tokens"] <= told(engine)[2]
    assert record["distributions"]["output_tokens"]["max"] == max(u.completion_tokens for u in engine.usages)
    assert record["distributions"]["ttft_s"]["count"] == record["queries"]


def test_a_repeated_stream_has_its_prefill_and_decode_told_apart(engine: Any) -> None:
    engine.project.ini(whq_rounds="5", whq_max_seconds="4")
    record = measured(
        engine,
        """
    def test_stream(whq, client):
        ask = dict(ASK, max_tokens=64)
        prompt = "What is a joule? " * 60
        chunks = whq(
            client.chat.completions.create, messages=user(prompt), stream=True, stream_options=USAGE, **ask
        )
        engine.usages = [chunks[-1].usage]
""",
    )
    phases, usage = record["phases"], engine.usages[0]
    assert phases["separated_by"] == "first_token"
    assert phases["prefill"]["tokens"] == usage.prompt_tokens * record["queries"]
    assert phases["decode"]["tokens"] == usage.completion_tokens * record["queries"]
    # The device draws 360 W all the time.
    for phase in (phases["prefill"], phases["decode"]):
        assert phase["energy_j"] == pytest.approx(360 * phase["duration_s"], rel=0.05)
