"""What one test measures: the windows that are open, and the measurements of those that have closed."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.result import combine, detailed
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.model.serving import Load
from pytest_whq.queries.drained_stream import Drained
from pytest_whq.queries.followed_stream import follow
from pytest_whq.queries.query import Query, StreamedQuery, Timing
from pytest_whq.queries.request import NOTHING_ASKED, Asked
from pytest_whq.queries.tally import NOT_OK, Tally
from pytest_whq.tokens import StreamText
from pytest_whq.tokens.output import is_cut

_UNTOLD = (
    'a stream did not tell its tokens: the OpenAI client\'s does with stream_options={"include_usage": True}'
)
_NO_REPLY = "a query was recorded without its reply or its token counts"
_TEXT = "text does not tell its input tokens: give them, as in window.record(reply, input_tokens=...)"
_NOTHING_TOLD = TokenCount()

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.


class Ledger:
    """Adds up what a test measures.

    Meters may be open inside each other: a query then counts in all of them, and only the outermost
    one's energy goes into the sum, since it holds that of the others.
    """

    def __init__(self, instruments: Instruments, plan: Plan) -> None:
        self.instruments = instruments
        self.plan = plan
        self._open: list[Meter] = []
        self._inner: set[Meter] = set()
        self._streams: dict[StreamedQuery, Meter] = {}
        self._measurements: list[Measurement] = []

    async def open(self, meter: Meter) -> None:
        """Get the devices, unless ``meter`` has claimed them, and all ready for its first span to begin."""
        await meter.claim()
        await meter.open()
        if self._open:
            self._inner.add(meter)
        self._open.append(meter)

    async def close(
        self, meter: Meter, *, repeated: bool = False, load: Callable[[], Load] | None = None
    ) -> Measurement:
        """End the span of ``meter`` that is open, then measure and enter what its spans took.

        ``repeated`` when they are rounds of one call. ``load`` is asked for the figures of a load once all
        joules are known.
        """
        meter.end()
        self._leave(meter)
        await meter.close()
        plain = meter.measurement(repeated=repeated, precision=self.plan.precision)
        figures = None if load is None else load()
        measurement = detailed(plain, meter.tallies, figures, self.instruments.tokenizer)
        if meter not in self._inner:
            self._measurements.append(measurement)
        return measurement

    def abandon(self, meter: Meter) -> None:
        """End ``meter`` at once, open or not, with nothing measured."""
        self._leave(meter)
        meter.abandon()

    @property
    def clock(self) -> Clock:
        """The clock of the session."""
        return self.instruments.clock

    @property
    def innermost(self) -> Meter | None:
        """The meter that opened last of those that are open."""
        return self._open[-1] if self._open else None

    @property
    def has_measured(self) -> bool:
        """Whether a measurement is complete."""
        return bool(self._measurements)

    @property
    def measurement(self) -> Measurement:
        """What the test has measured so far; WhqError where no window has closed yet."""
        if not self._measurements:
            raise WhqError(
                "Nothing is measured yet: whq.measurement is there once whq(call) has returned "
                "or a whq.measure() window has closed."
            )
        return combine(self._measurements)

    def record(
        self,
        meter: Meter,
        reply: object,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        timing: Timing | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> None:
        """Count the queries that ``reply`` answers, in ``meter`` and those around it."""
        told = _told(input_tokens, output_tokens)
        queries, unreadable = self.queries_of(reply, told, timing, asked)
        for query in queries:
            self._succeed(meter, query, unreadable)

    def record_failure(self, meter: Meter, kind: str = NOT_OK) -> None:
        """Count a query that failed, in ``meter`` and those around it; ``kind`` says how."""
        for tally in self.tallies(meter):
            tally.fail(kind)

    def follow(
        self,
        meter: Meter,
        stream: Any,
        started_s: float,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> Any:
        """What to read in place of ``stream``, whose query is counted as `record` does when it ends."""
        told = _told(input_tokens, output_tokens)

        def ended(query: StreamedQuery, how: Query | str, count: TokenCount | None) -> None:
            self._streams.pop(query, None)
            if isinstance(how, str):
                self.record_failure(meter, how)
                return
            if count is not None:
                self._succeed(meter, how._replace(tokens=replace(count, **told)), None)
            else:
                self._succeed(meter, *self._untold(how, query.text, told, _UNTOLD))

        keeps_text = self.instruments.tokenizer is not None and output_tokens is None
        query = StreamedQuery(self.clock.now, ended, started_s, asked.limit, keeps_text=keeps_text)
        self._streams[query] = meter
        return follow(stream, query)

    def queries_of(
        self,
        reply: object,
        told: dict[str, int],
        timing: Timing | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> tuple[Sequence[Query], str | None]:
        """The queries that ``reply`` answers, and why their tokens are unknown, None where they are known.

        ``told`` are the token counts that the user gave.
        """
        if type(reply) is Drained:
            return self._drained(reply)
        if reply is None and not told:
            return (Query(_NOTHING_TOLD, timing, False, asked.limit),), _NO_REPLY
        plain = Query(_NOTHING_TOLD, timing, is_cut(reply), asked.limit)
        if len(told) == 2 or (told and reply is None):
            return (plain._replace(tokens=TokenCount(**told)),), None
        counts = self.instruments.read_queries(reply)
        if counts is None and asked.read is not None:
            counts = asked.read(reply)
        if counts is not None:
            _check_one(told, counts)
            return [plain._replace(tokens=replace(count, **told)) for count in counts], None
        texts = _texts_in(reply) or (None,)
        _check_one(told, texts)
        untold = self.instruments.unreadable(reply)
        found = [self._untold(plain, text, told, untold) for text in texts]
        return [query for query, _ in found], found[0][1]

    def tallies(self, meter: Meter) -> Sequence[Tally]:
        """What counts the queries of ``meter``: its own tally and those of the meters around it."""
        return [one.tally for one in self._around(meter)]

    def around(self, meter: Meter) -> Sequence[Tally]:
        """The tallies of the meters around ``meter``, without its own."""
        return [one.tally for one in self._around(meter)[:-1]]

    def _leave(self, meter: Meter) -> None:
        """``meter`` counts no more; the streams that are still open in it are abandoned."""
        for query in [query for query, owner in list(self._streams.items()) if owner is meter]:
            query.abandon()
        if meter in self._open:
            self._open.remove(meter)

    def _succeed(self, meter: Meter, query: Query, unreadable: str | None) -> None:
        for tally in self.tallies(meter):
            tally.count(query, unreadable)

    def _around(self, meter: Meter) -> Sequence[Meter]:
        return self._open[: self._open.index(meter) + 1]

    def _drained(self, reply: Drained) -> tuple[Sequence[Query], str | None]:
        if reply.told:
            return (reply.query,), None
        counts = self.instruments.read_queries(reply.chunks)
        if counts is not None and len(counts) == 1:
            return (reply.query._replace(tokens=counts[0]),), None
        query, unreadable = self._untold(reply.query, StreamText(reply.chunks).text, {}, _UNTOLD)
        return (query,), unreadable

    def _untold(
        self, query: Query, text: str | None, told: dict[str, int], unreadable: str
    ) -> tuple[Query, str | None]:
        """``query``, whose reply tells no tokens, with those of its ``text``; and why they are unknown."""
        tokenizer = self.instruments.tokenizer
        if text is not None and tokenizer is not None and "output_tokens" not in told:
            query = query._replace(counted=True)
            told, unreadable = {**told, "output_tokens": tokenizer.count(text)}, _TEXT
        return query._replace(tokens=TokenCount(**told)), None if len(told) == 2 else unreadable


def _texts_in(reply: object) -> Sequence[str]:
    """The texts that a reply consists of: itself or, in a list, each; empty where there is anything else."""
    # By type: isinstance asks the object itself, and a proxy that is bound to nothing raises.
    if issubclass(type(reply), str):
        return (reply,)  # type: ignore[return-value]
    if not issubclass(type(reply), (list, tuple)):
        return ()
    texts: Sequence[str] = reply  # type: ignore[assignment]
    return texts if all(issubclass(type(text), str) for text in texts) else ()


def _check_one(told: dict[str, int], queries: Sequence[object]) -> None:
    if told and len(queries) > 1:
        raise WhqError(
            "input_tokens and output_tokens are those of one query: record the replies of a list singly."
        )


def unmeasured_ledger() -> Ledger:
    """A ledger to run a load with where nothing is to be measured: no warm-up, no energy."""
    return Ledger(Instruments(), Plan(warmup=0))


def _told(input_tokens: int | None, output_tokens: int | None) -> dict[str, int]:
    """The counts that are given, by their names; WhqError where one is no count."""
    given = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    return {name: _checked(name, count) for name, count in given.items() if count is not None}


def _checked(name: str, count: Any) -> int:
    try:
        number = operator.index(count)
    except TypeError:
        number = -1
    if number < 0 or isinstance(count, bool):
        raise WhqError(f"{name} must be a whole number of at least 0, not {count!r}.")
    return number
