"""Anthropic's Messages: three kinds of input that do not overlap, and events that build a message up."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, token_count

_INPUT: tuple[str, ...] = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def read(reply: object) -> TokenCount | None:
    """A message, known by its ``type`` or by the cache counts that no other ``usage`` has."""
    usage = field(reply, "usage")
    is_message = field(reply, "type") == "message" and field(reply, "role") == "assistant"
    if not is_message and count(usage, _INPUT[1]) is None and count(usage, _INPUT[2]) is None:
        return None
    return read_usage(usage) or (NOT_TOLD if is_message else None)


def read_usage(usage: object) -> TokenCount | None:
    """The counts of a ``usage`` block of Messages, None where it holds none.

    ``input_tokens`` are those after the last cache breakpoint: the whole input is those, the ones
    read from the cache and the ones written to it (Anthropic, "Prompt caching").
    """
    fresh, cached, created = (count(usage, name) for name in _INPUT)
    output = count(usage, "output_tokens")
    if fresh is None and output is None:
        return None
    whole = None if fresh is None else fresh + (cached or 0) + (created or 0)
    return token_count(whole, output, cached, count(field(usage, "output_tokens_details"), "thinking_tokens"))


def merge_event(usage: dict[str, object], event: object) -> None:
    """Bring a stream's ``usage`` block up to date with one event; most events change nothing.

    Input stands in ``message_start``; ``message_delta`` brings cumulative counts, so the last wins.
    Servers that have counted the input before tell 0 for it there.
    """
    kind = field(event, "type")
    if kind == "message_start":
        # Its output_tokens is what was made when it was sent, not what the message will have.
        news, names = field(field(event, "message"), "usage"), _INPUT
    elif kind == "message_delta":
        news, names = field(event, "usage"), (*_INPUT, "output_tokens", "output_tokens_details")
    else:
        return
    for name in names:
        value = field(news, name)
        if value or (value is not None and not usage.get(name)):
            usage[name] = value
