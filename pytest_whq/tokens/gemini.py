"""Google's Gemini, in the three dialects of its REST interface, its SDK and its Interactions."""

from typing import NamedTuple

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, token_count


class _Dialect(NamedTuple):
    usage: str
    prompt: str
    tool_use: str
    candidates: str
    thoughts: str
    cached: str
    total: str


_DIALECTS = (
    _Dialect(
        "usage_metadata",
        "prompt_token_count",
        "tool_use_prompt_token_count",
        "candidates_token_count",
        "thoughts_token_count",
        "cached_content_token_count",
        "total_token_count",
    ),
    _Dialect(
        "usageMetadata",
        "promptTokenCount",
        "toolUsePromptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "cachedContentTokenCount",
        "totalTokenCount",
    ),
    _Dialect(
        "usage",
        "total_input_tokens",
        "total_tool_use_tokens",
        "total_output_tokens",
        "total_thought_tokens",
        "total_cached_tokens",
        "total_tokens",
    ),
)


def read(reply: object) -> TokenCount | None:
    """A ``GenerateContentResponse`` or an ``Interaction``, as object or as JSON.

    The four counts that make up the total are the prompt (cached content within it), tool results
    fed back as prompt, candidates and thoughts: the first two are input, the last two output.
    """
    for dialect in _DIALECTS:
        usage = field(reply, dialect.usage)
        if usage is not None and (found := _usage(usage, dialect)) is not None:
            return found
    is_gemini = isinstance(field(reply, "model_version") or field(reply, "modelVersion"), str)
    return NOT_TOLD if is_gemini else None


def _usage(usage: object, dialect: _Dialect) -> TokenCount | None:
    prompt = count(usage, dialect.prompt)
    candidates = count(usage, dialect.candidates)
    thoughts = count(usage, dialect.thoughts)
    if prompt is None and candidates is None and thoughts is None:
        return None
    whole = None if prompt is None else prompt + (count(usage, dialect.tool_use) or 0)
    output = None if candidates is None else candidates + (thoughts or 0)
    if candidates is None and thoughts is not None and whole is not None:
        # A reply cut off while thinking has no candidates; the total tells whether that is all.
        output = thoughts if count(usage, dialect.total) == whole + thoughts else None
    return token_count(whole, output, count(usage, dialect.cached), thoughts)
