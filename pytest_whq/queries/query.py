"""One query: what is known of it once it has ended, and of a streamed one while it runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamText, StreamTokens
from pytest_whq.tokens.output import begins_output, is_cut

ABANDONED = "abandoned stream"
"""Kind of failure of a stream that was not read to its end while its window was open."""

UNFINISHED = "unfinished call"
"""Kind of failure of a promised reply, such as a future's, that was not there when its window closed."""


class Timing(NamedTuple):
    """When a query's reply came, in seconds; what is unknown is None.

    ``first_s`` is from the query's start to the first chunk with output, ``stream_s`` from there to
    the last one, and ``chunks`` how many there were. ``started_s`` is when a streamed query began, on the
    clock.
    """

    latency_s: float
    first_s: float | None = None
    stream_s: float | None = None
    chunks: int = 0
    started_s: float | None = None


class Query(NamedTuple):
    """A query that succeeded: ``limit`` is the most output tokens that were asked for, if known.

    ``counted`` when its output tokens are not told but counted, in its text, by the user's tokenizer.
    """

    tokens: TokenCount
    timing: Timing | None = None
    cut: bool = False
    limit: int | None = None
    counted: bool = False


class Answered(NamedTuple):
    """The queries that a reply answers; ``unreadable`` says why their tokens are unknown, if they are.

    ``failures`` are the kinds of those that have failed, each of one query.
    """

    queries: Sequence[Query]
    unreadable: str | None = None
    failures: Sequence[str] = ()


class Ended(NamedTuple):
    """A stream that was read to its end: its query, and whether chunks ``told`` the tokens of it.

    ``failure`` is the kind of the error that it ended in, if it did.
    """

    query: Query
    told: bool
    failure: str | None = None


class StreamedQuery:
    """A query whose reply is a stream, from chunk to chunk.

    ``now`` is the clock. With ``keeps_text``, the text of a stream of nothing else is kept.
    """

    __slots__ = ("_chunks", "_cut", "_first_s", "_last_s", "_limit", "_now", "_started_s", "_text", "_tokens")

    def __init__(
        self,
        now: Callable[[], float],
        started_s: float,
        limit: int | None = None,
        *,
        keeps_text: bool = False,
    ) -> None:
        self._now = now
        self._started_s = started_s
        self._limit = limit
        self._tokens = StreamTokens()
        self._text = StreamText() if keeps_text else None
        self._first_s: float | None = None
        self._last_s = started_s
        self._chunks = 0
        self._cut = False

    def take(self, chunk: object) -> None:
        """Look at the next chunk. Never raises, and leaves the chunk as it is."""
        now_s = self._now()
        if self._text is not None:
            self._text.add(chunk)
        if self._first_s is None:
            if not begins_output(chunk):
                self._tokens.add(chunk)
                return
            self._first_s = now_s
        self._chunks += 1
        self._last_s = now_s
        self._tokens.add(chunk)
        self._cut = self._cut or is_cut(chunk)

    def end(self) -> Ended:
        """The stream is read to its end."""
        latency_s = self._now() - self._started_s
        timing = Timing(latency_s)
        if self._first_s is not None:
            first_s, stream_s = self._first_s - self._started_s, self._last_s - self._first_s
            timing = Timing(latency_s, first_s, stream_s, self._chunks, self._started_s)
        count, failed = self._tokens.count(), self._tokens.failed
        query = Query(count or TokenCount(), timing, self._cut, self._limit)
        return Ended(query, count is not None, None if failed is None else failed.kind)

    @property
    def text(self) -> str | None:
        """The text so far, where it is kept and the chunks hold nothing else."""
        return None if self._text is None else self._text.text
