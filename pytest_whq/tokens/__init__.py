"""How many tokens a query took, read from its reply: one file per family of replies."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pytest_whq.model import TokenCount
from pytest_whq.tokens import langchain, sglang, transformers
from pytest_whq.tokens.bodies import body_of, is_event, object_in, objects_in
from pytest_whq.tokens.fields import NOT_TOLD, one_prompt, quietly, sum_tokens
from pytest_whq.tokens.streams import StreamText, StreamTokens, is_stream
from pytest_whq.tokens.table import READERS, read_reply

__all__ = [
    "READERS",
    "CallReader",
    "StreamText",
    "StreamTokens",
    "call_reader",
    "read_queries",
    "read_tokens",
    "sum_tokens",
    "unreadable",
]

CallReader = Callable[[object], tuple[TokenCount, ...] | None]
"""Reads the replies of one call, as `read_queries` does those of any."""


def read_tokens(reply: object) -> TokenCount | None:
    """The tokens of a reply, of all its queries together; None where nobody can read it.

    A reply is a client's object, its dict, JSON text of an object, the text of a whole stream, an HTTP
    response with such a body, or a list of these. A count is None where the reply does not tell it.
    Never raises.
    """
    return quietly(_read_together, reply)


def read_queries(reply: object, samples: int = 1) -> tuple[TokenCount, ...] | None:
    """The tokens of each query of a reply; None where nobody can read it, or a part of it.

    A list or tuple of replies is one query each, but the chunks of one stream are one query, and so are
    SGLang's replies that are samples of one prompt, of which the call asked for ``samples``; an
    ``LLMResult`` of LangChain is one query for each prompt. Never raises.
    """
    found = quietly(_read_each, reply)
    return found if found is None or samples < 2 else _by_prompt(found, reply, samples)


def call_reader(
    call: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
) -> CallReader | None:
    """What reads the replies of ``call(*args, **kwargs)`` where only the call tells what is in them.

    None where replies speak for themselves, as most do. Neither this nor the reader ever raises.
    """
    reader = quietly(lambda _: transformers.reader_of(call, args, kwargs), None)
    return None if reader is None else partial(quietly, reader)


def unreadable(reply: object) -> str:
    """The sentence for a reply that nobody can read: its type, and what to do."""
    name = quietly(_type_with_items, reply) or _type_name(reply)
    or_count = "name a tokenizer with whq_tokenizer, " if type(reply) is str else ""
    return (
        f"nobody can read tokens from a reply of type {name}: pass input_tokens and output_tokens "
        f"to window.record, {or_count}or write the hook pytest_whq_read_tokens(reply)."
    )


def _read_together(reply: object) -> TokenCount | None:
    counts = _read_each(reply)
    if counts is None:
        return None
    # The whole of an LLMResult may be told where its prompts are not.
    return sum_tokens(counts) if len(counts) == 1 else read_reply(reply) or sum_tokens(counts)


def _read_each(reply: object) -> tuple[TokenCount, ...] | None:
    if isinstance(reply, (str, bytes, bytearray)):
        return _read_text(reply)
    if isinstance(reply, (list, tuple)):
        return _read_list(reply)
    if (found := read_reply(reply)) is not None:
        return quietly(langchain.read_prompts, reply) or (found,)
    body = body_of(reply)
    return None if body is None else _read_each(body)


def _by_prompt(found: tuple[TokenCount, ...], reply: object, samples: int) -> tuple[TokenCount, ...]:
    replies = reply if isinstance(reply, (list, tuple)) else quietly(body_of, reply)
    if not isinstance(replies, (list, tuple)) or len(replies) != len(found) or len(found) % samples:
        return found
    if not all(map(sglang.is_reply, replies)):
        return found
    return tuple(one_prompt(found[n : n + samples]) for n in range(0, len(found), samples))


def _read_text(text: str | bytes | bytearray) -> tuple[TokenCount, ...] | None:
    """One JSON object, or lines of them; server-sent events are one stream, whatever they hold."""
    data = object_in(text)
    lines = [data] if data is not None else objects_in(text)
    if data is None and is_event(text):
        return (_read_stream(lines),) if lines else None
    return _read_list(lines)


def _read_stream(chunks: Sequence[object]) -> TokenCount:
    stream = StreamTokens()
    for chunk in chunks:
        stream.add(chunk)
    return stream.count() or NOT_TOLD


def _read_list(replies: Sequence[object]) -> tuple[TokenCount, ...] | None:
    if not replies:
        return None
    if is_stream(replies):
        return (_read_stream(replies),)
    counts: list[TokenCount] = []
    for reply in replies:
        # Lists in lists are no batch that any client returns, and may go round in circles.
        found = None if isinstance(reply, (list, tuple)) else _read_each(reply)
        if found is None:
            return None
        counts += found
    if len(counts) > 1 and sglang.same_prompt(replies):
        return (one_prompt(counts),)
    return tuple(counts)


def _type_with_items(reply: object) -> str:
    items = f" of {_type_name(reply[0])}" if isinstance(reply, (list, tuple)) and reply else ""
    return _type_name(reply) + items


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
