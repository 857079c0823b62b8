"""SGLang's native interface: ``Engine.generate`` and ``/generate``."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, token_count


def read(reply: object) -> TokenCount | None:
    """``meta_info``: prompt tokens with the cached ones within them, completion with the reasoning."""
    meta = field(reply, "meta_info")
    prompt = count(meta, "prompt_tokens")
    completion = count(meta, "completion_tokens")
    if prompt is None and completion is None:
        return None
    return token_count(prompt, completion, count(meta, "cached_tokens"), count(meta, "reasoning_tokens"))
