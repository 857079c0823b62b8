"""Amazon Bedrock's ``Converse``, whichever model stands behind it."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, token_count

_INPUT = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")


def read(reply: object) -> TokenCount | None:
    """``usage``, of a reply or of the ``metadata`` event that ends a stream.

    Tokens that were read from the cache or written to it are not in ``inputTokens``.
    """
    usage = field(reply, "usage") or field(field(reply, "metadata"), "usage")
    fresh, cached, written = (count(usage, name) for name in _INPUT)
    output = count(usage, "outputTokens")
    if fresh is None and output is None:
        return None
    whole = None if fresh is None else fresh + (cached or 0) + (written or 0)
    return token_count(whole, output, cached)
