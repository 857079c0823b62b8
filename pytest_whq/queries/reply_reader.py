"""Reads replies: the queries that each answers, and their tokens."""

import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from typing import Any

from pytest_whq.errors import WhqError
from pytest_whq.model import TokenCount
from pytest_whq.queries.drained_stream import Drained
from pytest_whq.queries.followed_stream import follow, is_followed, is_stream
from pytest_whq.queries.query import Answered, Ended, Query, StreamedQuery, Timing
from pytest_whq.queries.request import NOTHING_ASKED, Asked
from pytest_whq.queries.tally import Tally
from pytest_whq.queries.under_way import Later, StreamUnderWay
from pytest_whq.queries.unread import UNREAD, is_unread
from pytest_whq.tokens import Counted, Failed, StreamText, read_queries, unreadable
from pytest_whq.tokens.fields import MOST_TOKENS
from pytest_whq.tokens.output import is_cut
from pytest_whq.tokens.responses import refusal
from pytest_whq.tokens.tokenizer import Tokenizer

_SILENT_STREAM = (
    'a stream did not tell its tokens: the OpenAI client\'s does with stream_options={"include_usage": True}'
)
_NO_REPLY = "a query was recorded without its reply or its token counts"
_TEXT = "text does not tell its input tokens: give them, as in window.record(reply, input_tokens=...)"
_UNKNOWN = TokenCount()

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.

Given = dict[str, int]
"""The token counts that the user gives with a reply, by name: they stand before those that it tells."""


class ReplyReader:
    """Plugins' readers, then the built-in ones; output that is text is counted by the ``tokenizer``.

    ``ask_plugins`` returns what the first plugin that can read a reply says of it, else None.
    """

    def __init__(
        self, ask_plugins: Callable[[object], object] | None = None, tokenizer: Tokenizer | None = None
    ) -> None:
        self._ask_plugins = ask_plugins
        self.tokenizer = tokenizer

    def read(
        self,
        reply: object,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        timing: Timing | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> Answered:
        """The queries that ``reply``, which may be `Drained`, answers; WhqError for counts that cannot be.

        ``timing`` is that of a reply which came as a whole; a drained stream has its own. An error in
        place of an answer is a query that failed.
        """
        if type(reply) is Drained:
            return self._read_drained(reply)
        if (refused := refusal(reply)) is not None:
            return Answered((), failures=(refused,))
        if is_unread(reply):
            return Answered((), failures=(UNREAD,))
        given = _given(input_tokens, output_tokens)
        if reply is None and not given:
            return Answered((Query(_UNKNOWN, timing, False, asked.limit),), _NO_REPLY)
        plain = Query(_UNKNOWN, timing, is_cut(reply), asked.limit)
        if len(given) == 2 or (given and reply is None):
            return Answered((plain._replace(tokens=TokenCount(**given)),))
        counts = self._counts_in(reply, asked.samples)
        if counts is None and asked.read is not None:
            counts = asked.read(reply)
        if counts is not None:
            return _answered(plain, given, counts)
        texts = _by_prompt(_texts_in(reply), asked.samples) or (None,)
        _check_one(given, texts)
        why = unreadable(reply)
        answers = [self._of_text(plain, text, given, why) for text in texts]
        return Answered([query for answer in answers for query in answer.queries], answers[0].unreadable)

    def receive(
        self,
        reply: Any,
        tally: Tally,
        now: Callable[[], float],
        started_s: float | None = None,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> Any:
        """Count in ``tally`` what ``reply`` answers once all of it is there; returns what stands in for it.

        That is ``reply`` itself, but for most streams. ``now`` is the clock, on which the query began at
        ``started_s`` if that is known.
        """
        given: Any = {"input_tokens": input_tokens, "output_tokens": output_tokens}
        if is_followed(reply):
            return reply
        if is_stream(reply) or hasattr(type(reply), "__await__"):
            began_s = now() if started_s is None else started_s
            return self.follow(reply, tally, now, began_s, **given, asked=asked)
        if is_unread(reply):  # The caller reads it, or it has failed.
            Later(lambda: self.read(reply, **given, asked=asked), tally)
            return reply
        timing = None if started_s is None else Timing(now() - started_s)
        tally.count(self.read(reply, timing=timing, asked=asked, **given))
        return reply

    def follow(
        self,
        stream: Any,
        tally: Tally,
        now: Callable[[], float],
        started_s: float,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> Any:
        """What to read in place of ``stream``, whose query is counted in ``tally`` when it ends.

        ``now`` is the clock, on which the query began at ``started_s``.
        """
        given = _given(input_tokens, output_tokens)
        keeps_text = self.tokenizer is not None and output_tokens is None
        query = StreamedQuery(now, started_s, asked.limit, keeps_text=keeps_text)

        def read(ended: Ended) -> Answered:
            if ended.failure is not None:
                return Answered((), failures=(ended.failure,))
            if ended.told:
                return _answered(ended.query, given, (ended.query.tokens,))
            text = query.text
            return self._of_text(ended.query, None if text is None else (text,), given, _SILENT_STREAM)

        def receive(reply: Any, itself: bool) -> Any:
            if not itself:
                return self.receive(reply, tally, now, started_s, **given, asked=asked)
            tally.count(self.read(reply, **given, timing=Timing(now() - started_s), asked=asked))
            return reply

        return follow(stream, StreamUnderWay(query, read, receive, tally))

    def _read_drained(self, reply: Drained) -> Answered:
        query, told, failure = reply.ended
        if failure is not None:
            return Answered((), failures=(failure,))
        if told:
            return Answered((query,))
        counts = self._counts_in(reply.chunks)
        if counts is not None and len(counts) == 1 and counts[0] != _UNKNOWN:
            return _answered(query, {}, counts)
        text = StreamText(reply.chunks).text
        return self._of_text(query, None if text is None else (text,), {}, _SILENT_STREAM)

    def _counts_in(self, reply: object, samples: int = 1) -> Sequence[Counted] | None:
        if self._ask_plugins is not None and (count := self._ask_plugins(reply)) is not None:
            return (_checked_count(count),)
        return read_queries(reply, samples)

    def _of_text(
        self, query: Query, texts: Sequence[str] | None, given: Given, why_unreadable: str
    ) -> Answered:
        """``query``, whose reply tells no tokens, with those of its ``texts`` where there is a tokenizer.

        They are samples of one prompt.
        """
        if texts is not None and self.tokenizer is not None and "output_tokens" not in given:
            query = query._replace(counted=True)
            given, why_unreadable = {**given, "output_tokens": sum(map(self.tokenizer.count, texts))}, _TEXT
        query = query._replace(tokens=TokenCount(**given))
        return Answered((query,), None if len(given) == 2 else why_unreadable)


def _answered(plain: Query, given: Given, counts: Sequence[Counted]) -> Answered:
    """A query as ``plain`` for each of ``counts``, with what is ``given`` in place of what it tells."""
    _check_one(given, counts)
    failures = tuple(count.kind for count in counts if isinstance(count, Failed))
    told = [count for count in counts if isinstance(count, TokenCount)]
    return Answered([plain._replace(tokens=_with(given, count)) for count in told], failures=failures)


def _with(given: Given, count: TokenCount) -> TokenCount:
    return replace(count, **given) if given else count


def _texts_in(reply: object) -> Sequence[str]:
    """The texts that a reply consists of: itself or, in a list, each; empty where there is anything else."""
    # By type: isinstance asks the object itself, and a proxy that is bound to nothing raises.
    if issubclass(type(reply), str):
        return (reply,)  # type: ignore[return-value]
    if not issubclass(type(reply), (list, tuple)):
        return ()
    texts: Sequence[str] = reply  # type: ignore[assignment]
    return texts if all(issubclass(type(text), str) for text in texts) else ()


def _by_prompt(texts: Sequence[str], samples: int) -> Sequence[Sequence[str]]:
    """The ``texts`` of each prompt, of which the call asked for ``samples`` where it tells."""
    each = samples if len(texts) % samples == 0 else 1
    return [texts[n : n + each] for n in range(0, len(texts), each)]


def _check_one(given: Given, queries: Sequence[object]) -> None:
    if given and len(queries) > 1:
        raise WhqError(
            "input_tokens and output_tokens are those of one query: record the replies of a list singly."
        )


def _given(input_tokens: int | None, output_tokens: int | None) -> Given:
    """The counts that are given, by their names; WhqError where one is no count."""
    if input_tokens is None and output_tokens is None:
        return {}
    counts = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    return {name: _checked(name, count) for name, count in counts.items() if count is not None}


def _checked(name: str, count: Any) -> int:
    try:
        number = operator.index(count)
    except TypeError:
        number = -1
    if not 0 <= number <= MOST_TOKENS or isinstance(count, bool):
        raise WhqError(f"{name} must be a whole number from 0 to {MOST_TOKENS}, not {count!r}.")
    return number


def _checked_count(count: object) -> TokenCount:
    """What a plugin's reader returned; WhqError where that is no count of tokens."""
    if isinstance(count, TokenCount):
        with suppress(TypeError):
            numbers = [None if number is None else operator.index(number) for number in astuple(count)]
            if all(number is None or 0 <= number <= MOST_TOKENS for number in numbers):
                return TokenCount(*numbers)
    raise WhqError(
        f"pytest_whq_read_tokens must return a TokenCount of whole numbers, or None, not {count!r}."
    )
