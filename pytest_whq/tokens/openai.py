"""OpenAI's shapes, and all who borrow them: LiteLLM, llama-cpp-python, the servers of vLLM and others."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens import llama_cpp
from pytest_whq.tokens.fields import NOT_TOLD, count, field, token_count

_COMPLETIONS = ("chat.completion", "chat.completion.chunk", "text_completion")


def read_chat(reply: object) -> TokenCount | None:
    """Chat completions and completions: ``usage.prompt_tokens`` and ``usage.completion_tokens``.

    Embeddings have the former alone. The last chunk of Groq's streams holds its usage in ``x_groq``.
    """
    found = chat_usage(field(reply, "usage")) or chat_usage(field(field(reply, "x_groq"), "usage"))
    if found is None and field(reply, "object") in _COMPLETIONS:
        # llama.cpp's server puts its own timings in a reply of this shape, also where usage is missing.
        return llama_cpp.read(reply) or NOT_TOLD
    return found


def chat_usage(usage: object) -> TokenCount | None:
    """The counts of a ``usage`` block of chat completions, None where it holds none."""
    prompt = count(usage, "prompt_tokens")
    completion = count(usage, "completion_tokens")
    if prompt is None and completion is None:
        return None
    cached = count(field(usage, "prompt_tokens_details"), "cached_tokens")
    reasoning = count(field(usage, "completion_tokens_details"), "reasoning_tokens")
    if reasoning is None:
        reasoning = count(usage, "reasoning_tokens")  # SGLang's place for it
    # xAI counts reasoning beside the completion, OpenAI within it; the total tells which it is.
    if reasoning and prompt is not None and completion is not None:
        beside = completion + reasoning
        if count(usage, "total_tokens") == prompt + beside:
            completion = beside
    return token_count(prompt, completion, cached, reasoning)


def read_responses(reply: object) -> TokenCount | None:
    """The Responses API: ``usage.input_tokens`` and ``usage.output_tokens``, details within them."""
    usage = field(reply, "usage")
    prompt = count(usage, "input_tokens")
    output = count(usage, "output_tokens")
    if prompt is None and output is None:
        return NOT_TOLD if field(reply, "object") == "response" else None
    return token_count(
        prompt,
        output,
        count(field(usage, "input_tokens_details"), "cached_tokens"),
        count(field(usage, "output_tokens_details"), "reasoning_tokens"),
    )
