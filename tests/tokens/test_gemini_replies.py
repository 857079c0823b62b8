"""Google's Gemini, over REST and by its SDK."""

from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import read_tokens

REST: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "STOP"}],
    "modelVersion": "gemini-3-flash",
    "responseId": "r1",
    "usageMetadata": {
        "promptTokenCount": 300,
        "cachedContentTokenCount": 256,
        "candidatesTokenCount": 40,
        "thoughtsTokenCount": 60,
        "totalTokenCount": 400,
    },
}
SDK: dict[str, Any] = {
    "model_version": "gemini-3-flash",
    "usage_metadata": {
        "prompt_token_count": 300,
        "cached_content_token_count": 256,
        "candidates_token_count": 40,
        "thoughts_token_count": 60,
        "total_token_count": 400,
    },
}


def with_usage(**usage: int | None) -> dict[str, Any]:
    return {**REST, "usageMetadata": usage}


def test_cached_content_is_within_the_prompt_and_thoughts_beside_the_candidates() -> None:
    expected = TokenCount(300, 100, cached_input_tokens=256, reasoning_tokens=60)
    assert read_tokens(REST) == expected
    assert read_tokens(SDK) == expected
    types = pytest.importorskip("google.genai.types")
    assert read_tokens(types.GenerateContentResponse.model_validate(REST)) == expected


def test_tool_results_fed_back_are_input() -> None:
    reply = with_usage(
        promptTokenCount=10, toolUsePromptTokenCount=90, candidatesTokenCount=5, totalTokenCount=105
    )
    assert read_tokens(reply) == TokenCount(100, 5)
    types = pytest.importorskip("google.genai.types")
    assert read_tokens(types.GenerateContentResponse.model_validate(reply)) == TokenCount(100, 5)


def test_a_reply_cut_off_while_thinking_has_its_thoughts_for_output() -> None:
    assert read_tokens(
        with_usage(promptTokenCount=10, thoughtsTokenCount=50, totalTokenCount=60)
    ) == TokenCount(10, 50, None, 50)


@pytest.mark.parametrize("total", [None, 75])
def test_candidates_that_are_not_told_are_not_nothing(total: int | None) -> None:
    reply = with_usage(promptTokenCount=10, thoughtsTokenCount=50, totalTokenCount=total)
    assert read_tokens(reply) == TokenCount(10, None)


def test_an_interaction_is_read_in_its_own_words() -> None:
    usage = {
        "total_input_tokens": 10,
        "total_cached_tokens": 3,
        "total_output_tokens": 4,
        "total_thought_tokens": 2,
        "total_tokens": 16,
    }
    assert read_tokens({"id": "v1", "status": "completed", "usage": usage}) == TokenCount(10, 6, 3, 2)


def test_a_reply_without_usage_tells_nothing() -> None:
    assert read_tokens({**REST, "usageMetadata": None}) == TokenCount()
    types = pytest.importorskip("google.genai.types")
    assert read_tokens(types.GenerateContentResponse(model_version="gemini-3-flash")) == TokenCount()
