"""Cohere's chat, of its second interface and its first."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, token_count


def read(reply: object) -> TokenCount | None:
    """``tokens``: what the model read and wrote, and not the ``billed_units`` beside them.

    They stand in ``usage`` or ``meta`` of a reply, and of the event that ends a stream.
    """
    # The events message-end and stream-end hold them one level deeper.
    whole = field(reply, "delta") or field(reply, "response") or reply
    usage = field(whole, "usage") or field(whole, "meta")
    tokens = field(usage, "tokens")
    prompt = count(tokens, "input_tokens")
    output = count(tokens, "output_tokens")
    if prompt is None and output is None:
        return NOT_TOLD if count(field(usage, "billed_units"), "output_tokens") is not None else None
    return token_count(prompt, output)
