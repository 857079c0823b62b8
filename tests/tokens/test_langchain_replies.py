"""LangChain's messages and results."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens

USAGE: dict[str, Any] = {
    "input_tokens": 350,
    "output_tokens": 240,
    "total_tokens": 590,
    "input_token_details": {"cache_creation": 200, "cache_read": 100},
    "output_token_details": {"reasoning": 200},
}
COUNT = TokenCount(350, 240, cached_input_tokens=100, reasoning_tokens=200)


@pytest.fixture
def messages() -> Any:
    return pytest.importorskip("langchain_core.messages")


@pytest.fixture
def outputs() -> Any:
    return pytest.importorskip("langchain_core.outputs")


def test_a_dumped_message_is_read() -> None:
    assert read_tokens({"type": "ai", "content": "hi", "usage_metadata": USAGE}) == COUNT


def test_a_message_is_read_by_its_usage_metadata(messages: Any) -> None:
    assert read_tokens(messages.AIMessage("hi", usage_metadata=USAGE)) == COUNT


def test_an_old_message_is_read_by_its_response_metadata(messages: Any) -> None:
    metadata = {"token_usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    assert read_tokens(messages.AIMessage("hi", response_metadata=metadata)) == TokenCount(7, 3)


def test_a_message_without_usage_tells_nothing(messages: Any) -> None:
    assert read_tokens(messages.AIMessage("hi")) == TokenCount()


def test_a_users_message_is_not_read(messages: Any) -> None:
    assert read_tokens(messages.HumanMessage("hi")) is None


def test_a_batch_of_messages_is_a_query_each(messages: Any) -> None:
    replies = [messages.AIMessage("a", usage_metadata=USAGE), messages.AIMessage("b", usage_metadata=USAGE)]
    assert read_queries(replies) == (COUNT, COUNT)


def test_a_chat_result_is_one_query_whatever_its_candidates(messages: Any, outputs: Any) -> None:
    candidates = [outputs.ChatGeneration(message=messages.AIMessage(t, usage_metadata=USAGE)) for t in "ab"]
    assert read_queries(outputs.ChatResult(generations=candidates)) == (COUNT,)


def test_a_result_is_a_query_for_each_prompt(messages: Any, outputs: Any) -> None:
    prompts = [[outputs.ChatGeneration(message=messages.AIMessage(t, usage_metadata=USAGE))] for t in "ab"]
    result = outputs.LLMResult(generations=prompts)
    assert read_queries(result) == (COUNT, COUNT)
    assert read_tokens(result) == TokenCount(700, 480, 200, 400)


def test_a_result_of_a_text_model_tells_the_tokens_of_its_only_prompt(outputs: Any) -> None:
    usage = {"token_usage": {"prompt_tokens": 4, "completion_tokens": 6}}
    result = outputs.LLMResult(generations=[[outputs.Generation(text="a")]], llm_output=usage)
    assert read_queries(result) == (TokenCount(4, 6),)


def test_a_sum_over_several_prompts_is_told_for_all_and_for_none_of_them(outputs: Any) -> None:
    usage = {"token_usage": {"prompt_tokens": 40, "completion_tokens": 60}}
    prompts = [[outputs.Generation(text="a")], [outputs.Generation(text="b")]]
    result = outputs.LLMResult(generations=prompts, llm_output=usage)
    assert read_tokens(result) == TokenCount(40, 60)
    assert read_queries(result) == (TokenCount(), TokenCount())


def test_a_result_that_tells_nothing_is_known_for_what_it_is(outputs: Any) -> None:
    assert read_tokens(outputs.LLMResult(generations=[[outputs.Generation(text="a")]])) == TokenCount()


def chunk(messages: Any, text: str, run: str, **usage: int) -> Any:
    return messages.AIMessageChunk(
        text, id=run, usage_metadata={**usage, "total_tokens": 0} if usage else None
    )


def test_the_usages_of_chunks_add_up(messages: Any) -> None:
    chunks = [
        chunk(messages, "", "run-1", input_tokens=5, output_tokens=0),
        chunk(messages, "hi", "run-1"),
        chunk(messages, "", "run-1", input_tokens=0, output_tokens=10),
    ]
    stream = StreamTokens()
    for each in chunks:
        stream.add(each)
    assert stream.count() == TokenCount(5, 10)
    # LangChain's own sum, which users record whole:
    whole = chunks[0] + chunks[1] + chunks[2]
    assert read_tokens(whole) == TokenCount(5, 10)
    assert read_queries(chunks) == (TokenCount(5, 10),)


def test_chunks_of_two_runs_are_two_queries(messages: Any) -> None:
    wholes = [chunk(messages, "a", run, input_tokens=1, output_tokens=2) for run in ("run-1", "run-2")]
    assert read_queries(wholes) == (TokenCount(1, 2), TokenCount(1, 2))


def test_chunks_without_usage_tell_nothing(messages: Any) -> None:
    stream = StreamTokens()
    stream.add(chunk(messages, "hi", "run-1"))
    assert stream.count() is None


def told(*usages: tuple[str, int, int]) -> TokenCount | None:
    stream = StreamTokens()
    for run, prompt, output in usages:
        usage = {"input_tokens": prompt, "output_tokens": output}
        stream.add(SimpleNamespace(type="AIMessageChunk", id=run, usage_metadata=usage))
    return stream.count()


def test_usage_so_far_on_each_chunk_is_not_added_up() -> None:
    assert told(("a", 5, 1), ("a", 5, 2), ("a", 5, 3), ("a", 5, 3)) == TokenCount(5, 3)
    assert told(("a", 5, 2), ("a", 5, 1), ("a", 5, 2)) == TokenCount(5, None)


def test_the_usages_of_two_messages_in_one_stream_add_up() -> None:
    assert told(("a", 5, 2), ("b", 5, 3)) == TokenCount(10, 5)


def answered(*usage: int) -> SimpleNamespace:
    told = {"input_tokens": usage[0], "output_tokens": usage[1]} if usage else None
    return SimpleNamespace(type="ai", content="x", usage_metadata=told)


SAID, TOOL = SimpleNamespace(type="human", content="q"), SimpleNamespace(type="tool", content="t")


def test_the_state_of_a_graph_is_one_query_of_all_its_models_said_to_the_last_question() -> None:
    assert read_queries({"messages": [SAID, answered(5, 9), TOOL, answered(20, 4)]}) == (TokenCount(25, 13),)
    assert read_queries({"messages": [SAID, answered(5, 9), SAID, answered(20, 4)]}) == (TokenCount(20, 4),)
    assert read_queries({"messages": [SAID, answered(5, 9), TOOL, answered()]}) == (TokenCount(),)
    assert read_queries({"messages": [{"role": "user", "content": "q"}]}) is None


def test_a_parsed_reply_is_read_by_its_raw_one() -> None:
    assert read_tokens({"raw": answered(5, 9), "parsed": {}, "parsing_error": None}) == TokenCount(5, 9)
