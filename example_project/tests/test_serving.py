"""What serving costs: a stream, and how much less a query takes the more of them share the machine."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk

QUESTIONS = [f"What is {number} times {number + 1}?" for number in range(10, 26)]


def asking(model: str, question: str, max_tokens: int) -> dict[str, Any]:
    """The arguments of a streamed chat that tells its tokens in its last chunk."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_stream(whq: Any, client: OpenAI, model: str) -> None:
    question = "Please read this: " + "the sea is wide. " * 12
    chunks = whq(client.chat.completions.create, **asking(model, question, 64))
    assert any(chunk.choices and chunk.choices[0].delta.content for chunk in chunks)
    # Up to the first token the server reads the question, from there on it writes.
    assert whq.measurement.distributions.ttft_s.p50 < whq.measurement.distributions.latency_s.p50


@pytest.fixture(scope="module")
def wh_by_concurrency() -> dict[int, float]:
    """What the loads that have run so far took per query."""
    return {}


@pytest.mark.parametrize("concurrency", [1, 4, 16])
async def test_load(
    whq: Any,
    async_client: AsyncOpenAI,
    model: str,
    concurrency: int,
    wh_by_concurrency: dict[int, float],
) -> None:
    async def ask(question: str) -> AsyncIterator[ChatCompletionChunk]:
        async for chunk in await async_client.chat.completions.create(**asking(model, question, 32)):
            yield chunk

    await whq.load(ask, QUESTIONS, concurrency=concurrency, seconds=2)
    assert whq.measurement.failed_queries == 0
    wh_by_concurrency[concurrency] = whq.measurement.wh_per_query
    # The weights are read once for all queries in flight: 16 at a time cost less each than one alone.
    if {1, 16} <= wh_by_concurrency.keys():
        assert wh_by_concurrency[16] < wh_by_concurrency[1]
