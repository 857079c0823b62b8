"""SGLang's native interface."""

from typing import Any

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens


def reply(completion: int, request: str = "a", **more: Any) -> dict[str, Any]:
    meta = {
        "id": request,
        "finish_reason": {"type": "length", "length": completion},
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


def test_samples_that_share_the_id_of_their_request_are_one_query() -> None:
    samples = [reply(8, f"4f1c_{number}", cached_tokens=0) for number in range(3)]
    assert read_queries(samples) == (TokenCount(40, 24, 0),)
    assert read_queries([reply(8, "4f1c_0"), reply(8, "77aa_0")]) == (TokenCount(40, 8),) * 2


def test_prompts_of_a_batch_that_share_an_id_are_told_apart_by_their_lengths() -> None:
    batch = [reply(8, "mine_0"), reply(8, "mine_1", prompt_tokens=41)]
    assert read_queries(batch) == (TokenCount(40, 8), TokenCount(41, 8))


def test_samples_are_one_query_where_the_call_asked_for_so_many() -> None:
    replies = [reply(8, f"id{number}") for number in range(6)]
    assert read_queries(replies, samples=3) == (TokenCount(40, 24),) * 2
    assert read_queries(replies, samples=4) == (TokenCount(40, 8),) * 6


def test_frames_of_several_samples_are_running_totals_of_each() -> None:
    frames = [
        {**reply(count, f"4f1c_{number}", finish_reason=None), "index": number}
        for number, count in ((0, 1), (1, 1), (0, 2), (1, 2), (1, 3))
    ]
    stream = StreamTokens()
    for frame in frames:
        stream.add(frame)
    assert stream.count() == TokenCount(40, 5)
    assert read_queries(frames) == (TokenCount(40, 5),)
