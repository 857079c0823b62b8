"""Rerankers and encoders, which read and write nothing: vLLM's, Jina's, SGLang's ``/rerank``."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, token_count


def read(reply: object) -> TokenCount | None:
    """``usage.total_tokens``, where results or vectors are all that a reply holds: it is the input."""
    total = count(field(reply, "usage"), "total_tokens")
    results = field(reply, "results") or field(reply, "data")
    return token_count(total, None) if total is not None and isinstance(results, list) else None
