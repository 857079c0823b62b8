"""``generate`` of transformers, by arrays in place of tensors; `tests/engines` has the real ones."""

import functools
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.queries.request import asked_by
from pytest_whq.tokens import call_reader, read_queries, unreadable

numpy = pytest.importorskip("numpy")

END = 2


class Model:
    """What the reader looks at of a model; ``generate`` returns what it is told to."""

    def __init__(self, *, encoder: bool = False, ends: Any = END) -> None:
        self.config = SimpleNamespace(is_encoder_decoder=encoder)
        self.generation_config = SimpleNamespace(eos_token_id=ends)

    def generate(self, inputs: Any = None, **_: Any) -> Any:
        return inputs


def ids(*rows: list[int]) -> Any:
    return numpy.array(rows)


def counts(reply: Any, *args: Any, call: Any = None, **kwargs: Any) -> tuple[TokenCount, ...] | None:
    reader = call_reader(call or Model().generate, args, kwargs)
    return None if reader is None else reader(reply)


PROMPT = ids([5, 6, 7])
REPLY = ids([5, 6, 7, 8, 9])


@pytest.mark.parametrize("how", ["positional", "inputs", "input_ids"])
def test_the_output_is_what_follows_the_prompt(how: str) -> None:
    args, kwargs = ((PROMPT,), {}) if how == "positional" else ((), {how: PROMPT})
    assert counts(REPLY, *args, **kwargs) == (TokenCount(3, 2),)


def test_each_prompt_of_a_batch_is_a_query_without_its_padding() -> None:
    prompts, mask = ids([0, 5, 6], [5, 6, 7]), ids([0, 1, 1], [1, 1, 1])
    reply = ids([0, 5, 6, 8, END, 0, 0], [5, 6, 7, 8, 8, 8, END])
    assert counts(reply, prompts, attention_mask=mask) == (TokenCount(2, 2), TokenCount(3, 4))


def test_several_samples_of_a_prompt_are_one_query() -> None:
    reply = ids([5, 6, 7, 8, END, 0], [5, 6, 7, 8, 8, 8])
    assert counts(reply, PROMPT, num_return_sequences=2) == (TokenCount(3, 5),)


def test_an_output_object_is_read_by_its_sequences() -> None:
    assert counts({"sequences": REPLY, "cache": object()}, PROMPT) == (TokenCount(3, 2),)


def test_of_embeddings_nothing_comes_back() -> None:
    assert counts(ids([8, 9]), inputs_embeds=numpy.zeros((1, 4, 16))) == (TokenCount(4, 2),)


@pytest.mark.parametrize(
    ("ends", "kwargs"),
    [
        ([END, 3], {}),
        (None, {"eos_token_id": END}),
        (None, {"eos_token_id": [3, END]}),
        (99, {"generation_config": SimpleNamespace(eos_token_id=END)}),
    ],
)
def test_what_ends_a_text_is_looked_for_as_generate_does(ends: Any, kwargs: dict[str, Any]) -> None:
    reply = ids([5, 8, END, 0], [5, 8, 8, 8])
    found = counts(reply, ids([5], [5]), call=Model(ends=ends).generate, **kwargs)
    assert found == (TokenCount(1, 2), TokenCount(1, 3))


def test_where_texts_of_a_batch_end_otherwise_their_output_is_not_told() -> None:
    batch, reply = ids([5], [5]), ids([5, 8, 0, 0], [5, 8, 8, 8])
    assert counts(reply, batch, stop_strings=["."]) == (TokenCount(1, None),) * 2
    assert counts(REPLY, PROMPT, stop_strings=["."]) == (TokenCount(3, 2),)


def test_a_partial_call_is_looked_through() -> None:
    call = functools.partial(Model().generate, max_new_tokens=2, num_return_sequences=3)
    asked = asked_by(functools.partial(call, PROMPT), (), {})
    assert (asked.limit, asked.samples) == (2, 3)
    assert asked.read is not None
    assert asked.read(REPLY) == (TokenCount(3, 2),)


def generate(inputs: Any) -> Any:
    return inputs


@pytest.mark.parametrize("call", [Model(encoder=True).generate, generate, Model, len, print])
def test_other_calls_are_left_to_the_readers_of_replies(call: Any) -> None:
    assert call_reader(call, (PROMPT,), {}) is None


def test_a_call_without_a_prompt_is_too() -> None:
    assert call_reader(Model().generate, (), {}) is None
    assert call_reader(Model().generate, ("no tensor",), {}) is None


def test_a_generate_that_returns_new_tokens_only_is_known_by_the_prompt_that_is_not_there() -> None:
    assert counts(ids([8, 9]), PROMPT) == (TokenCount(3, 2),)
    assert counts(ids([8, 8, 9, 9, END]), PROMPT) == (TokenCount(3, 5),)
    prompts, reply = ids([5, 6], [6, 7]), ids([8, END, 0], [8, 9, END])
    assert counts(reply, prompts) == (TokenCount(2, 2), TokenCount(2, 3))


@pytest.mark.parametrize("reply", [None, "text", ids([5, 6], [5, 6])[0], [1, 2], {"sequences": None}])
def test_what_generate_never_returns_is_not_counted(reply: Any) -> None:
    assert counts(reply, PROMPT) is None


def test_without_its_call_a_tensor_tells_nothing() -> None:
    assert read_queries(REPLY) is None
    assert "numpy.ndarray" in unreadable(REPLY)
