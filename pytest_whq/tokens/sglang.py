"""SGLang's native interface: ``Engine.generate`` and ``/generate``."""

from collections.abc import Sequence

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


def is_reply(reply: object) -> bool:
    """Whether ``reply`` is SGLang's."""
    return isinstance(field(reply, "meta_info"), dict)


def is_frame(reply: object) -> bool:
    """Whether ``reply`` is one of several of a stream: it has not come to its end."""
    meta = field(reply, "meta_info")
    return isinstance(meta, dict) and "finish_reason" in meta and meta["finish_reason"] is None


def same_prompt(replies: Sequence[object]) -> bool:
    """Whether ``replies`` are samples of one prompt: each is then the reply to a whole request.

    A request for ``n`` samples has one id, to which each sample adds its number.
    """
    metas = [field(reply, "meta_info") for reply in replies]
    asked = {(_request(field(meta, "id")), count(meta, "prompt_tokens")) for meta in metas}
    return len(asked) == 1 and None not in asked.pop()


def _request(sample: object) -> str | None:
    request, _, number = sample.rpartition("_") if isinstance(sample, str) else ("", "", "")
    return request if request and number.isdecimal() else None
