"""How many queries a reply answers."""

from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import read_queries, read_tokens, sum_tokens


def chat(prompt: int, completion: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"object": "chat.completion", "choices": [], "usage": usage}


def test_a_single_reply_is_one_query() -> None:
    assert read_queries(chat(3, 4)) == (TokenCount(3, 4),)


@pytest.mark.parametrize("batch", [[chat(3, 4), chat(5, 6)], (chat(3, 4), chat(5, 6))])
def test_a_list_or_tuple_of_replies_is_a_query_each_in_order(batch: object) -> None:
    assert read_queries(batch) == (TokenCount(3, 4), TokenCount(5, 6))
    assert read_tokens(batch) == TokenCount(8, 10)


def test_replies_of_different_families_may_stand_together() -> None:
    assert read_queries([chat(3, 4), {"prompt_eval_count": 5, "eval_count": 6}]) == (
        TokenCount(3, 4),
        TokenCount(5, 6),
    )


def test_a_reply_that_tells_nothing_is_still_a_query_and_the_total_is_not_told() -> None:
    batch = [chat(3, 4), {"object": "chat.completion", "usage": None}]
    assert read_queries(batch) == (TokenCount(3, 4), TokenCount())
    assert read_tokens(batch) == TokenCount()


def test_a_tuple_of_a_reply_and_something_else_is_not_read() -> None:
    assert read_queries((chat(3, 4), 200)) is None


def test_lists_in_lists_are_not_read() -> None:
    assert read_queries([[chat(3, 4)], [chat(5, 6)]]) is None


def test_chunks_without_usage_are_one_query_that_tells_nothing() -> None:
    chunk = {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "hi"}}], "usage": None}
    assert read_queries([chunk, chunk, chunk]) == (TokenCount(),)


def test_running_totals_on_every_chunk_are_one_query() -> None:
    chunks = [{**chat(3, n), "object": "chat.completion.chunk"} for n in (1, 2, 3)]
    assert read_queries(chunks) == (TokenCount(3, 3),)


def test_chunks_of_one_completion_are_one_query_and_completions_one_each() -> None:
    def completion(name: str, count: int) -> dict[str, Any]:
        return {**chat(3, count), "object": "text_completion", "id": name}

    assert read_queries([completion("a", 1), completion("a", 2)]) == (TokenCount(3, 2),)
    assert read_queries([completion("a", 1), completion("b", 2)]) == (TokenCount(3, 1), TokenCount(3, 2))


def test_geminis_chunks_share_the_id_of_their_response() -> None:
    def gemini(name: str, count: int) -> dict[str, Any]:
        usage = {"promptTokenCount": 3, "candidatesTokenCount": count}
        return {"responseId": name, "modelVersion": "gemini", "usageMetadata": usage}

    assert read_queries([gemini("a", 1), gemini("a", 2)]) == (TokenCount(3, 2),)
    assert read_queries([gemini("a", 1), gemini("b", 2)]) == (TokenCount(3, 1), TokenCount(3, 2))


def test_lines_of_server_sent_events_are_one_query() -> None:
    lines = ["data: {}", 'data: {"eval_count": 7}', "data: [DONE]"]
    assert read_queries(lines) == (TokenCount(None, 7),)
    assert read_queries([line.encode() for line in lines]) == (TokenCount(None, 7),)


def test_what_one_query_does_not_tell_is_unknown_of_several_together() -> None:
    assert sum_tokens([TokenCount(1, 2, 3, 4), TokenCount(10, 20, 30, 40)]) == TokenCount(11, 22, 33, 44)
    assert sum_tokens([TokenCount(1, 2), TokenCount(10, None)]) == TokenCount(11, None)
    assert sum_tokens([]) == TokenCount()
