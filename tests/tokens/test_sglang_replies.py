"""SGLang's native interface."""

from typing import Any

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens


def reply(completion: int, request: str = "a", **more: int) -> dict[str, Any]:
    meta = {
        "id": request,
        "finish_reason": None,
        "prompt_tokens": 40,
        "completion_tokens": completion,
        **more,
    }
    return {"text": "hi", "output_ids": [1], "meta_info": meta}


def test_the_meta_info_is_read() -> None:
    assert read_tokens(reply(12, cached_tokens=32, reasoning_tokens=5)) == TokenCount(40, 12, 32, 5)


def test_older_servers_do_not_tell_reasoning() -> None:
    assert read_tokens(reply(12, cached_tokens=0)) == TokenCount(40, 12, 0, None)


def test_a_batch_is_one_query_each() -> None:
    assert read_queries([reply(12, "a"), reply(3, "b")]) == (TokenCount(40, 12), TokenCount(40, 3))


def test_chunks_of_one_request_are_running_totals_of_one_query() -> None:
    assert read_queries([reply(1), reply(2), reply(9)]) == (TokenCount(40, 9),)
    stream = StreamTokens()
    for chunk in (reply(1), reply(2), reply(9)):
        stream.add(chunk)
    assert stream.count() == TokenCount(40, 9)
