"""LiteLLM: OpenAI's shape in objects of its own."""

from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_tokens

# litellm's own types make pydantic warn while they are imported, lazily, in any test.
pytestmark = pytest.mark.filterwarnings("ignore:Item.*ReadOnly:UserWarning")


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network for prices
    return pytest.importorskip("litellm")


CHOICES = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}]


def test_a_model_response_is_read(litellm: Any) -> None:
    usage = {
        "prompt_tokens": 21,
        "completion_tokens": 12,
        "total_tokens": 33,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    reply = litellm.ModelResponse(id="1", model="m", choices=CHOICES, usage=usage)
    assert read_tokens(reply) == TokenCount(21, 12, 16, 8)


def test_anthropics_cache_is_within_the_prompt_in_litellms_usage(litellm: Any) -> None:
    usage = litellm.Usage(
        prompt_tokens=130,
        completion_tokens=7,
        total_tokens=137,
        cache_read_input_tokens=100,
        cache_creation_input_tokens=20,
    )
    assert read_tokens(litellm.ModelResponse(choices=CHOICES, usage=usage)) == TokenCount(130, 7, 100)


def test_a_model_response_without_usage_tells_nothing(litellm: Any) -> None:
    assert read_tokens(litellm.ModelResponse(id="1", model="m", choices=CHOICES)) == TokenCount()


def test_a_stream_tells_its_usage_in_the_last_chunk(litellm: Any) -> None:
    stream = StreamTokens()
    stream.add(litellm.ModelResponseStream(choices=[{"index": 0, "delta": {"content": "hi"}}]))
    assert stream.count() is None
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    stream.add(litellm.ModelResponseStream(choices=[], usage=usage))
    assert stream.count() == TokenCount(3, 1)
