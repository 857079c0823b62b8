"""LangChain's messages and results, whichever model stands behind them."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, merge, sum_tokens, token_count
from pytest_whq.tokens.openai import chat_usage


def read(reply: object) -> TokenCount | None:
    """An ``AIMessage`` by its ``usage_metadata``; a result by its messages, all prompts together."""
    if (found := _message(reply)) is not None:
        return found
    counts = read_prompts(reply)
    if counts is None:
        return None
    # Where the messages do not tell, the model may have told the sum of all prompts.
    return chat_usage(field(field(reply, "llm_output"), "token_usage")) or sum_tokens(counts)


def read_prompts(result: object) -> tuple[TokenCount, ...] | None:
    """One count for each prompt of an ``LLMResult`` or ``ChatResult``, None for anything else."""
    generations = field(result, "generations")
    if not isinstance(generations, list) or not generations:
        return None
    if not all(isinstance(candidates, list) for candidates in generations):
        generations = [generations]  # a ChatResult has the candidates of one prompt
    counts = tuple(_prompt(candidates) for candidates in generations)
    usage = chat_usage(field(field(result, "llm_output"), "token_usage"))
    if usage is not None and counts == (NOT_TOLD,):
        return (usage,)
    is_langchain = field(result, "type") == "LLMResult" or usage is not None
    return counts if is_langchain or any(found != NOT_TOLD for found in counts) else None


def add(so_far: TokenCount | None, chunk: object) -> TokenCount | None:
    """The sum of the chunks of one stream: their usages add up, as in LangChain's ``add_usage``."""
    more = _message(chunk)
    if more is None or so_far is None:
        return more or so_far
    return merge(so_far, more, lambda a, b: b if a is None else a + (b or 0))


def is_message(reply: object) -> bool:
    """Whether ``reply`` is a model's message or a chunk of one."""
    return field(reply, "type") in ("ai", "AIMessageChunk")


def _prompt(candidates: list[object]) -> TokenCount:
    # Each candidate repeats the usage of all candidates of its prompt: the first speaks for them.
    message = field(candidates[0], "message") if candidates else None
    return _message(message) or NOT_TOLD


def _message(message: object) -> TokenCount | None:
    usage = field(message, "usage_metadata")
    prompt = count(usage, "input_tokens")
    output = count(usage, "output_tokens")
    if prompt is None and output is None:
        if not is_message(message):
            return None
        return chat_usage(field(field(message, "response_metadata"), "token_usage")) or NOT_TOLD
    return token_count(
        prompt,
        output,
        count(field(usage, "input_token_details"), "cache_read"),
        count(field(usage, "output_token_details"), "reasoning"),
    )
