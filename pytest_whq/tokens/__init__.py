"""How many tokens a query took, read from its reply: one file per family of replies."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pytest_whq.model import TokenCount
from pytest_whq.tokens import langchain, sglang, transformers
from pytest_whq.tokens.bodies import JsonLines, body_of, is_event, object_in
from pytest_whq.tokens.failures import ERROR_EVENT, Failed, failure_in, failure_in_event
from pytest_whq.tokens.fields import NOT_TOLD, one_prompt, quietly, sum_tokens
from pytest_whq.tokens.responses import refusal
from pytest_whq.tokens.streams import StreamText, StreamTokens, is_stream
from pytest_whq.tokens.table import READERS, read_reply

__all__ = [
    "READERS",
    "CallReader",
    "Counted",
    "Failed",
    "StreamText",
    "StreamTokens",
    "call_reader",
    "read_queries",
    "read_tokens",
    "sum_tokens",
    "unreadable",
]

Counted = TokenCount | Failed
"""What is known of a query: its tokens, or that it has failed."""

CallReader = Callable[[object], tuple[TokenCount, ...] | None]
"""Reads the replies of one call, as `read_queries` does those of any."""


def read_tokens(reply: object) -> TokenCount | None:
    """The tokens of a reply, of all its queries together; None where nobody can read it.

    A reply is a client's object, its dict, JSON text of an object, the text of a whole stream, an HTTP
    response with such a body, or a list of these. A count is None where the reply does not tell it.
    Never raises.
    """
    return quietly(_read_together, reply)


def read_queries(reply: object, samples: int = 1) -> tuple[Counted, ...] | None:
    """The tokens of each query of a reply, or how it failed; None where nobody can read it, or a part of it.

    A list or tuple of replies is one query each, but the chunks of one stream are one query, and so are
    SGLang's replies that are samples of one prompt, of which the call asked for ``samples``; an
    ``LLMResult`` of LangChain is one query for each prompt. Where some have failed, of the others those
    that cannot be read tell nothing. Never raises.
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
    found = _read_each(reply)
    counts = [count for count in found or () if isinstance(count, TokenCount)]
    if found is None or len(counts) < len(found):
        return sum_tokens(counts) if counts else None
    # The whole of an LLMResult may be told where its prompts are not.
    return sum_tokens(counts) if len(counts) == 1 else read_reply(reply) or sum_tokens(counts)


def _read_each(reply: object) -> tuple[Counted, ...] | None:
    if isinstance(reply, (str, bytes, bytearray)):
        return _read_text(reply)
    if isinstance(reply, (list, tuple)):
        return _read_list(reply)
    if (how := _not_answered(reply)) is not None:
        return (Failed(how),)
    found = read_reply(reply)
    tells = found is not None and (found.output_tokens is not None or found.input_tokens is not None)
    if (failed := failure_in(reply, tells_tokens=tells)) is not None:
        return (failed,)
    if found is not None:
        return quietly(langchain.read_prompts, reply) or (found,)
    body = body_of(reply)
    return None if body is None else _read_each(body)


def _not_answered(reply: object) -> str | None:
    """How a query failed in whose place there is a refusal, or what it raised, as ``gather`` returns it."""
    kind = type(reply)
    if kind is dict:
        return None
    return kind.__name__ if issubclass(kind, BaseException) else refusal(reply)


def _by_prompt(found: tuple[Counted, ...], reply: object, samples: int) -> tuple[Counted, ...]:
    replies = reply if isinstance(reply, (list, tuple)) else quietly(body_of, reply)
    if not isinstance(replies, (list, tuple)) or len(replies) != len(found) or len(found) % samples:
        return found
    counts = [count for count in found if isinstance(count, TokenCount)]
    if len(counts) < len(found) or not all(map(sglang.is_reply, replies)):
        return found
    return tuple(one_prompt(counts[n : n + samples]) for n in range(0, len(counts), samples))


def _read_text(text: str | bytes | bytearray) -> tuple[Counted, ...] | None:
    """One JSON object, or lines of them; server-sent events are one stream, whatever they hold."""
    data = object_in(text)
    if data is not None:
        return _read_list([data])
    lines = JsonLines()
    found = lines.feed_all(text)
    if not is_event(text):
        return _read_list(found) if lines.is_protocol else None
    if lines.names_error:
        return (_how_failed(found) or ERROR_EVENT,)
    return (_read_stream(found),) if found else None


def _how_failed(events: Sequence[object]) -> Failed | None:
    return next((failed for event in events if (failed := failure_in_event(event)) is not None), None)


def _read_stream(chunks: Sequence[object]) -> Counted:
    stream = StreamTokens()
    for chunk in chunks:
        stream.add(chunk)
    count = stream.count()
    return stream.failed or count or NOT_TOLD


def _read_list(replies: Sequence[object]) -> tuple[Counted, ...] | None:
    if not replies:
        return None
    if is_stream(replies):
        return (_read_stream(replies),)
    found: list[Counted] = []
    for reply in replies:
        # Lists in lists are no batch that any client returns, and may go round in circles.
        each = None if isinstance(reply, (list, tuple)) else _read_each(reply)
        if each is None:
            return _read_failures(replies)
        found += each
    counts = [count for count in found if isinstance(count, TokenCount)]
    if len(counts) == len(found) > 1 and sglang.same_prompt(replies):
        return (one_prompt(counts),)
    return tuple(found)


def _read_failures(replies: Sequence[object]) -> tuple[Counted, ...] | None:
    """What failed among ``replies`` of which some cannot be read; None where nothing did."""
    found = [_failed_or_silent(reply) for reply in replies]
    return None if found.count(NOT_TOLD) == len(found) else tuple(found)


def _failed_or_silent(reply: object) -> Counted:
    kind = type(reply)
    if kind in _NO_REPLY:  # Texts are many, and so are the numbers of an array.
        return NOT_TOLD
    if (how := _not_answered(reply)) is not None:
        return Failed(how)
    return failure_in(reply, tells_tokens=False) or NOT_TOLD


_NO_REPLY = frozenset({str, bytes, int, float, bool, list, tuple, type(None)})


def _type_with_items(reply: object) -> str:
    items = f" of {_type_name(reply[0])}" if isinstance(reply, (list, tuple)) and reply else ""
    return _type_name(reply) + items


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
