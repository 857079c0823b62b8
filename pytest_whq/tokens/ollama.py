"""Ollama's own interface: ``/api/chat``, ``/api/generate``, and the client's objects."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, token_count


def read(reply: object) -> TokenCount | None:
    """The counts stand in the last chunk, the one with ``done``; cached tokens are within the prompt's.

    Old servers leave ``prompt_eval_count`` out where the prompt was cached: then the input is not told.
    """
    prompt = count(reply, "prompt_eval_count")
    output = count(reply, "eval_count")
    if prompt is None and output is None:
        is_ollama = isinstance(field(reply, "done"), bool) and field(reply, "created_at") is not None
        return NOT_TOLD if is_ollama else None
    return token_count(prompt, output, count(reply, "prompt_eval_cached_count"))
