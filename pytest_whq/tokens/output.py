"""What a reply or a chunk says of its output beside the count: that it was cut, that it has begun."""

from pytest_whq.tokens.fields import field, quietly

_CUT_WORDS = frozenset({"length", "max_tokens", "max_output_tokens"})
_NOT_YET = frozenset({"message_start", "content_block_start", "ping"})
"""Events of Anthropic's streams that come before any output."""
_NO_TEXT = ("reasoning_content", "reasoning", "tool_calls", "function_call", "refusal")
"""Output of a chat beside its text."""


def is_cut(reply: object) -> bool:
    """Whether ``reply``, or a chunk of it, says that ``max_tokens`` ended its output. Never raises."""
    return bool(quietly(_says_cut, reply))


def begins_output(chunk: object) -> bool:
    """Whether ``chunk`` of a stream carries output; True where its family is not known. Never raises."""
    return quietly(_carries_output, chunk) is not False


def holds_output(reply: object) -> bool:
    """Whether ``reply``, or a chunk of one, holds something that a model wrote. Never raises."""
    return bool(quietly(_holds_any, reply))


def text_in(chunk: object) -> str | None:
    """The text that ``chunk`` of a stream adds; None where its output may be no text. Never raises."""
    return quietly(_text, chunk)


def _text(chunk: object) -> str | None:
    if isinstance(chunk, str):
        return chunk
    kind = field(chunk, "object")
    choices = _items(chunk, "choices")
    if kind not in ("chat.completion.chunk", "text_completion") or len(choices) > 1:
        return None
    for choice in choices:
        delta = field(choice, "delta")
        if field(choice, "index") or any(field(delta, name) for name in _NO_TEXT):
            return None
        text = field(choice, "text") if kind == "text_completion" else field(delta, "content")
        return text if isinstance(text, str) else ""
    return ""  # the chunk that tells the usage


def _holds_any(reply: object) -> bool:
    for choice in _items(reply, "choices"):
        delta = field(choice, "message") or field(choice, "delta")
        if field(choice, "text") or _holds_output(delta):
            return True
    whole = field(reply, "message") or field(field(reply, "output"), "message")  # Ollama, Bedrock
    return any(
        field(holder, name) for holder in (reply, whole) for name in ("content", "response", "text")
    ) or any(
        field(one, "text") or field(one, "content")
        for one in (*_items(reply, "candidates"), *_items(reply, "results"))
    )


def _says_cut(reply: object) -> bool:
    if reply is None or isinstance(reply, (str, bytes)):
        return False
    if isinstance(reply, (list, tuple)):
        return any(is_cut(item) for item in reply)
    if choices := _items(reply, "choices"):  # first, since most chunks of streams have these
        return any(_is_cut_word(_reason(choice)) for choice in choices)
    details = field(reply, "incomplete_details")  # OpenAI's Responses
    said = (
        field(reply, "stop_reason"),  # Anthropic
        field(reply, "stopReason"),  # Bedrock
        field(reply, "finish_reason"),  # Cohere, LMDeploy
        field(field(field(reply, "meta_info"), "finish_reason"), "type"),  # SGLang
        field(field(reply, "delta"), "stop_reason"),
        field(reply, "done_reason"),  # Ollama
        field(details, "reason"),
        field(field(field(reply, "response"), "incomplete_details"), "reason"),
        *(_reason(one) for name in ("outputs", "candidates", "results") for one in _items(reply, name)),
    )
    return any(_is_cut_word(word) for word in said)


def _reason(choice: object) -> object:
    return field(choice, "finish_reason") or field(choice, "finishReason")


def _items(reply: object, name: str) -> list[object] | tuple[object, ...]:
    found = field(reply, name)
    return found if isinstance(found, (list, tuple)) else ()


def _is_cut_word(word: object) -> bool:
    name = getattr(word, "name", word)  # Gemini's SDK has an enumeration
    return isinstance(name, str) and name.lower() in _CUT_WORDS


def _carries_output(chunk: object) -> bool:
    kind = field(chunk, "type")
    if isinstance(kind, str):
        if kind in _NOT_YET:
            return False
        if kind.startswith("response."):
            return kind.endswith(".delta")
    if field(chunk, "object") != "chat.completion.chunk":
        return True
    # The first chunk of a chat only names the role, and servers differ in when they send it.
    return any(_holds_output(field(choice, "delta")) for choice in _items(chunk, "choices"))


def _holds_output(delta: object) -> bool:
    return any(field(delta, name) for name in ("content", *_NO_TEXT))
