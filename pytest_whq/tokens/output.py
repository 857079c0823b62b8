"""What a reply or a chunk says of its output beside the count: that it was cut, that it has begun."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import field, is_mock, quietly, without_output

_CUT_WORDS = frozenset({"length", "max_tokens", "max_output_tokens"})
_NOT_YET = frozenset({"message_start", "content_block_start", "ping"})
"""Events of Anthropic's streams that come before any output."""
_CHAT_CHUNK = "chat.completion.chunk"
_NO_TEXT = ("reasoning_content", "reasoning", "tool_calls", "function_call", "refusal")
"""Output of a chat beside its text."""
_TEXTS = ("content", "text", "response", "generated_text", "thinking", "arguments", *_NO_TEXT)
_WITHIN = (
    *("choices", "message", "delta", "output", "outputs", "candidates", "results"),
    *("token", "content", "parts", "contentBlockDelta", "function_call"),
)
"""Where what a model wrote stands in replies, and in chunks of them."""
_DEEPEST = 3


def chunk_of(event: object) -> object:
    """The chunk of a chat that ``event`` of a stream is, or that it holds as its data, as Mistral's."""
    data = field(event, "data")
    return data if field(data, "object") == _CHAT_CHUNK else event


def is_cut(reply: object) -> bool:
    """Whether ``reply``, or a chunk of it, says that ``max_tokens`` ended its output. Never raises."""
    return bool(quietly(_says_cut, quietly(chunk_of, reply)))


def begins_output(chunk: object) -> bool:
    """Whether ``chunk`` of a stream carries output; True where its family is not known. Never raises."""
    return quietly(_carries_output, quietly(chunk_of, chunk)) is not False


def holds_output(reply: object) -> bool:
    """Whether ``reply``, or a chunk of one, holds something that a model wrote. Never raises."""
    # What a mock answers no model wrote, and its answers answer to every name in turn.
    return not is_mock(reply) and bool(quietly(_holds_any, reply))


def not_told_beside_output(count: TokenCount, reply: object) -> TokenCount:
    """``count`` of ``reply``: an output of 0 stands for "not told" where the reply holds some."""
    return without_output(count) if count.output_tokens == 0 and holds_output(reply) else count


def text_in(chunk: object) -> str | None:
    """The text that ``chunk`` of a stream adds; None where its output may be no text. Never raises."""
    return quietly(_text, quietly(chunk_of, chunk))


def _text(chunk: object) -> str | None:
    if isinstance(chunk, str):
        return chunk
    kind = field(chunk, "object")
    choices = _items(chunk, "choices")
    if kind not in (_CHAT_CHUNK, "text_completion") or len(choices) > 1:
        return None
    for choice in choices:
        delta = field(choice, "delta")
        if field(choice, "index") or any(field(delta, name) for name in _NO_TEXT):
            return None
        text = field(choice, "text") if kind == "text_completion" else field(delta, "content")
        return text if isinstance(text, str) else ""
    return ""  # the chunk that tells the usage


def _holds_any(reply: object, depth: int = 0) -> bool:
    if any(_is_output(field(reply, name)) for name in _TEXTS):
        return True
    if depth == _DEEPEST:
        return False
    for name in _WITHIN:
        within = field(reply, name)
        parts = within if isinstance(within, (list, tuple)) else (within,)
        if any(isinstance(part, str) or _holds_any(part, depth + 1) for part in parts if part):
            return True
    return False


def _is_output(value: object) -> bool:
    # Where the Responses API repeats what was asked of it, these names hold objects.
    return isinstance(value, (str, list, tuple)) and bool(value)


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
    if field(chunk, "object") != _CHAT_CHUNK:
        return True
    # The first chunk of a chat only names the role, and servers differ in when they send it.
    return any(_holds_output(field(choice, "delta")) for choice in _items(chunk, "choices"))


def _holds_output(delta: object) -> bool:
    return any(field(delta, name) for name in ("content", *_NO_TEXT))
