"""The tokens of a streamed query, gathered while its chunks pass by."""

from collections.abc import Iterable, Sequence

from pytest_whq.model import TokenCount
from pytest_whq.tokens import anthropic, langchain, sglang, vllm
from pytest_whq.tokens.bodies import JsonLines, is_event, is_protocol
from pytest_whq.tokens.failures import ERROR_EVENT, Failed, failure_in_event
from pytest_whq.tokens.fields import NOT_TOLD, field, merge, one_prompt, quietly, without_output
from pytest_whq.tokens.output import chunk_of, holds_output, text_in
from pytest_whq.tokens.table import read_reply

_ANTHROPIC_EVENTS = ("message_", "content_block_")
_CHAT_CHUNK = "chat.completion.chunk"


class StreamTokens:
    """Gathers the tokens of one streamed query from its chunks, of which it keeps none.

    Chunks are a client's objects, dicts, or the text of the stream, whole lines or cut anywhere.
    Counts that come more than once are running totals, so the last wins; only LangChain's add up.
    Where a prompt is sampled several times, chunks may tell the totals of their samples, singly. An output
    of 0 stands for "not told" once chunks have held some. An error after which no more was written is how the
    stream has failed.
    """

    __slots__ = (
        *("_anthropic_usage", "_count", "_failed", "_lines", "_message", "_not_running", "_samples", "_sums"),
        "_wrote",
    )

    def __init__(self) -> None:
        self._count: TokenCount | None = None
        self._samples: dict[int, TokenCount] = {}
        self._sums = False
        self._message: object = None
        self._anthropic_usage: dict[str, object] = {}
        self._lines = JsonLines()
        self._not_running = False
        self._wrote = False
        self._failed: Failed | None = None

    def add(self, chunk: object) -> None:
        """Look at the next chunk. Never raises, and leaves the chunk as it is."""
        quietly(self._look, chunk)

    def count(self) -> TokenCount | None:
        """What the chunks so far tell, None where they tell nothing: chunks themselves are not counted."""
        for data in self._lines.end():
            quietly(self._add, data)
        found = _latest(self._of_samples(), self._count)
        found = _latest(found, anthropic.read_usage(self._anthropic_usage))
        if found is not None and (self._not_running or self._is_wrong_0(found)):
            found = without_output(found)
        return None if found == NOT_TOLD else found

    @property
    def failed(self) -> Failed | None:
        """The error in which the stream has ended, None where it has in none."""
        if not self._lines.is_protocol:
            return None
        return self._failed or (ERROR_EVENT if self._lines.names_error else None)

    def _look(self, chunk: object) -> None:
        if isinstance(chunk, (str, bytes, bytearray)):
            for data in self._lines.feed(chunk):
                self._add(data)
        else:
            self._add(chunk)

    def _is_wrong_0(self, found: TokenCount) -> bool:
        return found.output_tokens == 0 and self._wrote

    def _add(self, chunk: object) -> None:
        is_chat = field(chunk, "object") == _CHAT_CHUNK
        if not is_chat:
            chunk, event = chunk_of(chunk), chunk
            is_chat = chunk is not event
        if not self._wrote:
            self._wrote = holds_output(chunk)
        if is_chat and self._failed is None and _tells_nothing(chunk):
            return  # as nearly all chunks of a stream: what all readers would find is nothing
        kind = field(chunk, "type")
        if isinstance(kind, str) and kind.startswith(_ANTHROPIC_EVENTS):
            anthropic.merge_event(self._anthropic_usage, chunk)
            if self._failed is not None:
                self._note_failure(chunk)
            return
        self._note_failure(chunk)
        if isinstance(kind, str):
            if langchain.is_message(chunk):
                before, self._message = self._message, field(chunk, "id")
                self._count = langchain.add(self._count, chunk, same_message=before == self._message)
                return
            if kind.startswith("response."):
                chunk = field(chunk, "response")  # the Responses API: only some events hold it
            elif kind == "chunk":
                chunk = field(chunk, "chunk")  # an event of the openai client's stream helper
        found = None if chunk is None else read_reply(chunk)
        if found is not None and self._is_wrong_0(found):
            found = without_output(found)
        if found is None or found == NOT_TOLD:
            return
        number = _sample(chunk)
        before = self._count if number is None else self._samples.get(number)
        self._not_running = self._not_running or _falls_back(chunk, before, found)
        if number is None:
            self._count = _latest(before, found)
        else:
            self._samples[number] = _latest(before, found) or NOT_TOLD
            self._sums = self._sums or field(chunk, "meta_info") is not None

    def _note_failure(self, chunk: object) -> None:
        if (failed := failure_in_event(chunk)) is not None:
            self._failed = failed
        elif self._failed is not None and holds_output(chunk):
            self._failed = None

    def _of_samples(self) -> TokenCount | None:
        """What the samples tell together, which is not what one of several does."""
        found = list(self._samples.values())
        if len(found) < 2:
            return found[0] if found else None
        # SGLang's frames tell each its sample's; of others, a last chunk tells the total of all.
        return one_prompt(found) if self._sums else without_output(found[-1])


class StreamText:
    """Gathers the text of one streamed query, for a tokenizer to count where no chunk tells its tokens."""

    __slots__ = ("_texts",)

    def __init__(self, chunks: Iterable[object] = ()) -> None:
        self._texts: list[str] | None = []
        for chunk in chunks:
            self.add(chunk)

    def add(self, chunk: object) -> None:
        """Keep the text of the next chunk. Never raises."""
        if self._texts is None:
            return
        text = text_in(chunk)
        if text is None or (not self._texts and is_protocol(text)):
            self._texts = None
        else:
            self._texts.append(text)

    @property
    def text(self) -> str | None:
        """The text so far; None where there was nothing, or output that is no text."""
        return "".join(self._texts) if self._texts else None


def is_stream(items: Sequence[object]) -> bool:
    """Whether a list holds the chunks of one stream, and not one reply each."""
    first = chunk_of(items[0])
    if isinstance(first, (str, bytes)):
        return is_event(first)
    kind = field(first, "type")
    return (
        (isinstance(kind, str) and kind.startswith((*_ANTHROPIC_EVENTS, "response.")))
        or field(first, "object") == _CHAT_CHUNK
        or (vllm.is_output(first) and field(first, "finished") is False)
        or sglang.is_frame(first)
        or field(first, "done") is False  # Ollama
        or field(first, "stop") is False  # llama.cpp
        or (len(items) > 1 and (mark := _stream_id(first)) is not None and mark == _stream_id(items[1]))
    )


def _stream_id(item: object) -> object:
    # Where a chunk looks like a whole reply, its id tells: Gemini, SGLang, LangChain, OpenAI's completions.
    found = field(item, "response_id") or field(item, "responseId") or field(field(item, "meta_info"), "id")
    if field(item, "type") == "AIMessageChunk" or field(item, "object") == "text_completion":
        found = field(item, "id")
    return found if isinstance(found, str) else None


def _tells_nothing(chunk: object) -> bool:
    # Written out: it is asked of every chunk. llama.cpp's server and Groq have places of their own.
    return (
        field(chunk, "usage") is None
        and field(chunk, "timings") is None
        and field(chunk, "x_groq") is None
        and field(chunk, "error") is None
    )


def _sample(chunk: object) -> int | None:
    """Which sample of its prompt ``chunk`` tells of, None where of all."""
    number = field(chunk, "index") if field(chunk, "meta_info") is not None else None
    choices = field(chunk, "choices")
    if isinstance(choices, list) and len(choices) == 1:
        number = field(choices[0], "index")
    return number if type(number) is int else None


def _falls_back(chunk: object, before: TokenCount | None, now: TokenCount) -> bool:
    # vLLM's steps hold all tokens so far, or by its RequestOutputKind.DELTA or n > 1 only some:
    # a step that has not grown gives that away, and then the last one is not the whole.
    if before is None or before.output_tokens is None or now.output_tokens is None:
        return False
    if vllm.is_output(chunk):
        return now.output_tokens <= before.output_tokens
    return now.output_tokens < before.output_tokens


def _latest(before: TokenCount | None, now: TokenCount | None) -> TokenCount | None:
    if before is None or now is None:
        return now or before
    return merge(before, now, lambda old, new: old if new is None else new)
