"""Hugging Face's Text Generation Inference."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens


def reply(prefill: int, **more: object) -> dict[str, Any]:
    prompt = [{"id": i, "text": "x", "logprob": None} for i in range(prefill)]
    details = {
        "finish_reason": "length",
        "generated_tokens": 20,
        "seed": None,
        "prefill": prompt,
        "tokens": [],
    }
    return {"generated_text": "hi", "details": {**details, **more}}


def test_the_prompt_is_counted_where_its_details_were_asked_for() -> None:
    assert read_tokens(reply(6)) == TokenCount(6, 20)


def test_an_empty_prefill_was_not_asked_for_and_is_not_told() -> None:
    assert read_tokens(reply(0)) == TokenCount(None, 20)


def test_the_clients_objects_are_read_alike() -> None:
    details = SimpleNamespace(generated_tokens=20, prefill=[object()] * 6, best_of_sequences=None)
    assert read_tokens(SimpleNamespace(generated_text="hi", details=details)) == TokenCount(6, 20)


def test_rivals_of_the_best_sequence_were_generated_too() -> None:
    assert read_tokens(reply(6, best_of_sequences=[{"generated_tokens": 15}])) == TokenCount(6, 35)


def test_without_details_a_generated_text_is_text() -> None:
    assert read_tokens({"generated_text": "hi", "details": None}) is None
    assert read_tokens([{"generated_text": "hi"}]) is None


def test_a_list_of_one_is_one_query() -> None:
    assert read_queries([reply(6)]) == (TokenCount(6, 20),)


def test_the_last_chunk_of_a_stream_has_the_details() -> None:
    token = {"id": 5, "text": "hi", "logprob": -0.1, "special": False}
    stream = StreamTokens()
    stream.add({"index": 1, "token": token, "generated_text": None, "details": None})
    assert stream.count() is None
    details = {"finish_reason": "length", "generated_tokens": 20, "input_length": 6, "seed": None}
    stream.add({"index": 2, "token": token, "generated_text": "hi hi", "details": details})
    assert stream.count() == TokenCount(6, 20)


def test_the_objects_of_huggingface_hub_are_read() -> None:
    hub = pytest.importorskip("huggingface_hub")
    details = reply(6)["details"]
    whole = hub.TextGenerationOutput.parse_obj_as_instance({"generated_text": "hi", "details": details})
    assert read_tokens(whole) == TokenCount(6, 20)


def test_the_chunks_of_huggingface_hub_are_read() -> None:
    hub = pytest.importorskip("huggingface_hub")
    token = {"id": 1, "logprob": -1.0, "special": False, "text": "a"}
    last = {"finish_reason": "length", "generated_tokens": 2, "input_length": 9}
    stream = StreamTokens()
    for number, details in ((1, None), (2, last)):
        chunk = {"index": number, "token": token, "top_tokens": [], "details": details}
        stream.add(hub.TextGenerationStreamOutput.parse_obj_as_instance(chunk))
    assert stream.count() == TokenCount(9, 2)
