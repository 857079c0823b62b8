"""Families that tell their tokens in one place, whole and in the chunk that ends a stream."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens

CONVERSE = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
COHERE = {
    "billed_units": {"input_tokens": 9, "output_tokens": 5},
    "tokens": {"input_tokens": 70, "output_tokens": 5},
}


def lmdeploy(output: int) -> SimpleNamespace:
    return SimpleNamespace(text="hi", generate_token_len=output, input_token_len=5, index=0)


REPLIES: dict[str, tuple[Any, TokenCount]] = {
    "bedrock": ({"output": {"message": {}}, "usage": CONVERSE}, TokenCount(9, 5)),
    "bedrock with a cache": (
        {"usage": {**CONVERSE, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 20}},
        TokenCount(129, 5, 100),
    ),
    "cohere": ({"message": {"role": "assistant"}, "usage": COHERE}, TokenCount(70, 5)),
    "cohere's first interface": ({"text": "hi", "meta": COHERE}, TokenCount(70, 5)),
    "cohere's bill alone": ({"usage": {"billed_units": {"output_tokens": 5}}}, TokenCount()),
    "lmdeploy": (lmdeploy(9), TokenCount(5, 9)),
    "koboldcpp": ({"results": [{"prompt_tokens": 7, "completion_tokens": 9}]}, TokenCount(7, 9)),
    "koboldcpp's samples": (
        {
            "results": [
                {"prompt_tokens": 7, "completion_tokens": 9},
                {"prompt_tokens": 7, "completion_tokens": 4},
            ]
        },
        TokenCount(7, 13),
    ),
    "rerank": ({"usage": {"total_tokens": 56}, "results": [{"relevance_score": 0.9}]}, TokenCount(56, None)),
    "embeddings": (
        {"object": "list", "data": [{}], "usage": {"prompt_tokens": 8, "total_tokens": 8}},
        TokenCount(8, None),
    ),
    "ollama's embeddings": ({"embeddings": [[0.1]], "prompt_eval_count": 8}, TokenCount(8, None)),
}


@pytest.mark.parametrize(("reply", "count"), REPLIES.values(), ids=REPLIES)
def test_a_reply_is_read(reply: Any, count: TokenCount) -> None:
    assert read_queries(reply) == (count,)


def test_a_batch_of_lmdeploy_is_a_query_each() -> None:
    assert read_queries([lmdeploy(9), lmdeploy(3)]) == (TokenCount(5, 9), TokenCount(5, 3))


def test_beams_hold_their_prompt_and_do_not_tell_where_it_ends() -> None:
    beams = SimpleNamespace(sequences=[SimpleNamespace(tokens=[1] * 12), SimpleNamespace(tokens=[1] * 12)])
    assert read_queries([beams, beams]) == (TokenCount(), TokenCount())


CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "x"}}]}
LAST: dict[str, tuple[Any, TokenCount]] = {
    "groq": (
        {**CHUNK, "x_groq": {"usage": {"prompt_tokens": 23, "completion_tokens": 19}}},
        TokenCount(23, 19),
    ),
    "bedrock": ({"metadata": {"usage": CONVERSE}}, TokenCount(9, 5)),
    "cohere": ({"type": "message-end", "delta": {"usage": COHERE}}, TokenCount(70, 5)),
    "cohere's first interface": (
        {"event_type": "stream-end", "response": {"meta": COHERE}},
        TokenCount(70, 5),
    ),
    "lmdeploy": (lmdeploy(9), TokenCount(5, 9)),
    "mistral's event": (
        SimpleNamespace(data={**CHUNK, "usage": {"prompt_tokens": 5, "completion_tokens": 9}}),
        TokenCount(5, 9),
    ),
}


@pytest.mark.parametrize(("chunk", "count"), LAST.values(), ids=LAST)
def test_the_last_chunk_of_a_stream_is_read(chunk: Any, count: TokenCount) -> None:
    stream = StreamTokens()
    stream.add(CHUNK)
    stream.add(chunk)
    assert stream.count() == count


def usage(index: int | None, completion: int) -> dict[str, Any]:
    choices = [] if index is None else [{"index": index, "delta": {"content": "x"}}]
    return {**CHUNK, "choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": completion}}


def test_of_several_choices_that_tell_their_own_totals_only_the_last_chunk_tells_the_sum() -> None:
    stream = StreamTokens()
    for chunk in (usage(0, 1), usage(0, 2), usage(1, 1), usage(0, 3), usage(1, 2)):
        stream.add(chunk)
    assert stream.count() == TokenCount(9, None)
    stream.add(usage(None, 5))
    assert stream.count() == TokenCount(9, 5)


def test_a_total_in_the_last_chunk_of_one_of_several_choices_is_the_total() -> None:
    chunks = [{**CHUNK, "usage": None}, usage(1, 5)]
    assert read_tokens(chunks) == TokenCount(9, 5)
