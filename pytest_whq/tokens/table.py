"""The table of readers, and the one loop that walks it."""

from collections.abc import Callable

from pytest_whq.model import TokenCount
from pytest_whq.tokens import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    koboldcpp,
    langchain,
    llama_cpp,
    lmdeploy,
    ollama,
    openai,
    rerank,
    sglang,
    tgi,
    vllm,
)
from pytest_whq.tokens.fields import quietly
from pytest_whq.tokens.output import not_told_beside_output

READERS: tuple[Callable[[object], TokenCount | None], ...] = (
    openai.read_chat,
    anthropic.read,
    # After Anthropic, whose usage also holds input_tokens and output_tokens, but means less by the first.
    openai.read_responses,
    gemini.read,
    langchain.read,
    ollama.read,
    sglang.read,
    vllm.read,
    llama_cpp.read,
    tgi.read,
    bedrock.read,
    cohere.read,
    lmdeploy.read,
    koboldcpp.read,
    # After Gemini, whose usage also holds total_tokens.
    rerank.read,
)
"""Reply -> its tokens, or None for "not mine". The first in this order that knows a reply has it."""


def read_reply(reply: object) -> TokenCount | None:
    """The tokens of one reply that is data, None where no reader of `READERS` knows it. Never raises."""
    if reply is None:  # what most calls return that are no queries at all
        return None
    for reader in READERS:
        if (found := quietly(reader, reply)) is not None:
            return not_told_beside_output(found, reply)
    return None
