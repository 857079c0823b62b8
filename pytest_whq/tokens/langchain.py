"""LangChain's messages, results and states, whichever model stands behind them."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, merge, sum_tokens, token_count
from pytest_whq.tokens.openai import chat_usage
from pytest_whq.tokens.output import not_told_beside_output


def read(reply: object) -> TokenCount | None:
    """An ``AIMessage`` by its ``usage_metadata``; a result by its messages, all prompts together.

    So is what ``with_structured_output(include_raw=True)`` returns, and the state that a graph ends in.
    """
    if (found := _message(reply)) is not None:
        return found
    if isinstance(reply, dict) and "parsing_error" in reply:
        return _message(reply.get("raw"))
    if (answered := _answers(reply)) is not None:
        return sum_tokens([_message(message) or NOT_TOLD for message in answered])
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


def add(so_far: TokenCount | None, chunk: object, *, same_message: bool) -> TokenCount | None:
    """The sum of the chunks of one stream: their usages add up, as in LangChain's ``add_usage``.

    Behind gateways, chunks of the ``same_message`` each tell its usage so far: what betrays that is an
    input that is told again. Where such an output then shrinks, it was neither.
    """
    more = _message(chunk)
    if more is None or so_far is None:
        return more or so_far
    if not (same_message and more.input_tokens and so_far.input_tokens):
        return merge(so_far, more, lambda a, b: b if a is None else a + (b or 0))
    before, now = so_far.output_tokens, more.output_tokens
    if before is None or now is None or now < before:
        return TokenCount(more.input_tokens, None, more.cached_input_tokens, None)
    return more


def is_message(reply: object) -> bool:
    """Whether ``reply`` is a model's message or a chunk of one."""
    return field(reply, "type") in ("ai", "AIMessageChunk")


def _answers(state: object) -> list[object] | None:
    """What models have said in a graph's ``state`` since the user's last message, None for anything else.

    What stands before that message was said, and counted, in an earlier turn.
    """
    messages = field(state, "messages")
    if not isinstance(messages, list):
        return None
    kinds = [field(message, "type") for message in messages]
    begin = max((n for n, kind in enumerate(kinds) if kind == "human"), default=-1) + 1
    return [message for message in messages[begin:] if is_message(message)] or None


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
        found = chat_usage(field(field(message, "response_metadata"), "token_usage"))
        return NOT_TOLD if found is None else not_told_beside_output(found, message)
    cached = count(field(usage, "input_token_details"), "cache_read")
    reasoning = count(field(usage, "output_token_details"), "reasoning")
    return not_told_beside_output(token_count(prompt, output, cached, reasoning), message)
