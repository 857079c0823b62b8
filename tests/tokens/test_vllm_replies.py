"""vLLM's offline engine, by classes with the attributes of vllm/outputs.py."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: Sequence[int]
    cumulative_logprob: float | None = None
    finish_reason: str | None = None


@dataclass
class PoolingOutput:
    data: object


@dataclass
class RequestOutput:
    prompt_token_ids: list[int] | None
    outputs: list[CompletionOutput] | PoolingOutput
    request_id: str = "0"
    prompt: str | None = "Hello"
    finished: bool = True
    metrics: object = None
    encoder_prompt_token_ids: list[int] | None = None
    num_cached_tokens: int | None = None
    kv_transfer_params: dict[str, object] | None = field(default=None)


def request(
    prompt: int | None,
    *generated: int,
    cached: int | None = None,
    finished: bool = True,
    request_id: str = "0",
) -> RequestOutput:
    outputs = [CompletionOutput(i, "x", list(range(n))) for i, n in enumerate(generated)]
    ids = None if prompt is None else list(range(prompt))
    return RequestOutput(ids, outputs, request_id, finished=finished, num_cached_tokens=cached)


def test_the_token_ids_are_counted() -> None:
    assert read_tokens(request(11, 16, cached=8)) == TokenCount(11, 16, cached_input_tokens=8)


def test_several_samples_of_one_prompt_are_one_query() -> None:
    assert read_queries(request(11, 16, 9)) == (TokenCount(11, 25),)


def test_what_generate_returns_is_one_query_each() -> None:
    replies = [request(11, 16, cached=8), request(5, 4, cached=0)]
    assert read_queries(replies) == (TokenCount(11, 16, 8), TokenCount(5, 4, 0))
    assert read_tokens(replies) == TokenCount(16, 20, 8)


def test_the_total_of_a_batch_tells_only_what_every_reply_tells() -> None:
    assert read_tokens([request(11, 16, cached=8), request(5, 4)]) == TokenCount(16, 20, None)


def test_a_prompt_given_as_embeddings_is_not_told() -> None:
    assert read_tokens(request(None, 16)) == TokenCount(None, 16)


@pytest.mark.parametrize("ids", [(1, 2, 3), array("l", [1, 2, 3]), range(3)])
def test_token_ids_may_be_any_sequence(ids: Sequence[int]) -> None:
    assert read_tokens(RequestOutput([1], [CompletionOutput(0, "x", ids)])) == TokenCount(1, 3)


def test_a_pooled_prompt_has_no_output_to_tell() -> None:
    assert read_tokens(RequestOutput([1, 2, 3], PoolingOutput(object()), num_cached_tokens=0)) == TokenCount(
        3, None, 0
    )


def test_steps_of_an_asynchronous_engine_are_running_totals() -> None:
    steps = [request(7, n, finished=n == 3) for n in (1, 2, 3)]
    stream = StreamTokens()
    for step in steps:
        stream.add(step)
    assert stream.count() == TokenCount(7, 3)
    assert read_queries(steps) == (TokenCount(7, 3),)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1, 1), (2, 3, 1), (1, 2, 2)])
def test_steps_that_hold_only_the_new_tokens_do_not_tell_the_output(sizes: tuple[int, ...]) -> None:
    stream = StreamTokens()
    for number, size in enumerate(sizes, 1):
        stream.add(request(7, size, finished=number == len(sizes)))
    assert stream.count() == TokenCount(7, None)
