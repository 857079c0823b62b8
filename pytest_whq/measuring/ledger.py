"""What one test measures: the windows that are open, and the measurements of those that have closed."""

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock, SystemClock
from pytest_whq.measuring.draining import Drained
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.query import Query, StreamedQuery, Timing
from pytest_whq.measuring.result import combine, detailed
from pytest_whq.measuring.rounds import Plan
from pytest_whq.measuring.streams import follow
from pytest_whq.measuring.tally import NOT_OK, Tally
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.serving import Load
from pytest_whq.tokens.output import is_cut

_UNTOLD = (
    'a stream did not tell its tokens: the OpenAI client\'s does with stream_options={"include_usage": True}'
)
_NO_REPLY = "a query was recorded without its reply or its token counts"
_NOTHING_TOLD = TokenCount()

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.


class Instruments(Protocol):
    """What measuring needs of the session that it is done in."""

    clock: Clock

    def meter(self) -> Meter:
        """A meter on the session's power source."""

    def read_queries(self, reply: object) -> tuple[TokenCount, ...] | None:
        """The tokens of each query that ``reply`` answers, None where nobody can read it."""

    def unreadable(self, reply: object) -> str:
        """The sentence that says why the tokens of ``reply`` are unknown."""

    def progress(self, meter: Meter) -> None:
        """Show that a round of a long measurement is done."""


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

    def opened(self, meter: Meter) -> None:
        """A meter's first span is about to begin."""
        if self._open:
            self._inner.add(meter)
        self._open.append(meter)

    def closing(self, meter: Meter) -> None:
        """The meter's last span has ended: streams that are still open in it are abandoned."""
        for query in [query for query, owner in list(self._streams.items()) if owner is meter]:
            query.abandon()
        if meter in self._open:
            self._open.remove(meter)

    def closed(self, meter: Meter, *, repeated: bool = False, load: Load | None = None) -> Measurement:
        """Enter what a closed meter measured; ``repeated`` when its spans are rounds of one call."""
        plain = meter.measurement(repeated=repeated, precision=self.plan.precision)
        measurement = detailed(plain, meter.tallies, load)
        if meter not in self._inner:
            self._measurements.append(measurement)
        return measurement

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
        limit: int | None = None,
    ) -> None:
        """Count the queries that ``reply`` answers, in ``meter`` and those around it.

        ``limit`` is the most output tokens that were asked for, if known.
        """
        told = _told(input_tokens, output_tokens)
        queries, unreadable = self.queries_of(reply, told, timing, limit)
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
        limit: int | None = None,
    ) -> Any:
        """What to read in place of ``stream``, whose query is counted as `record` does when it ends."""
        told = _told(input_tokens, output_tokens)

        def ended(query: StreamedQuery, how: Query | str, count: TokenCount | None) -> None:
            self._streams.pop(query, None)
            if isinstance(how, str):
                self.record_failure(meter, how)
                return
            known = count is not None or len(told) == 2
            whole = how._replace(tokens=replace(how.tokens, **told))
            self._succeed(meter, whole, None if known else _UNTOLD)

        query = StreamedQuery(self.clock.now, ended, started_s, limit)
        self._streams[query] = meter
        return follow(stream, query)

    def queries_of(
        self, reply: object, told: dict[str, int], timing: Timing | None = None, limit: int | None = None
    ) -> tuple[Sequence[Query], str | None]:
        """The queries that ``reply`` answers, and why their tokens are unknown, None where they are known.

        ``told`` are the token counts that the user gave.
        """
        if isinstance(reply, Drained):
            if reply.told or not (counts := self.instruments.read_queries(reply.chunks)) or len(counts) > 1:
                return (reply.query,), None if reply.told else _UNTOLD
            return (reply.query._replace(tokens=counts[0]),), None
        if reply is None and not told:
            return (Query(_NOTHING_TOLD, timing, False, limit),), _NO_REPLY
        found, unreadable = self._counts(reply, told)
        cut = is_cut(reply)
        return [Query(count, timing, cut, limit) for count in found], unreadable

    def tallies(self, meter: Meter) -> Sequence[Tally]:
        """What counts the queries of ``meter``: its own tally and those of the meters around it."""
        return [one.tally for one in self._around(meter)]

    def around(self, meter: Meter) -> Sequence[Tally]:
        """The tallies of the meters around ``meter``, without its own."""
        return [one.tally for one in self._around(meter)[:-1]]

    def _succeed(self, meter: Meter, query: Query, unreadable: str | None) -> None:
        for tally in self.tallies(meter):
            tally.count(query, unreadable)

    def _around(self, meter: Meter) -> Sequence[Meter]:
        return self._open[: self._open.index(meter) + 1]

    def _counts(self, reply: object, told: dict[str, int]) -> tuple[Sequence[TokenCount], str | None]:
        if len(told) == 2 or (told and reply is None):
            return [TokenCount(**told)], None
        counts = self.instruments.read_queries(reply)
        if counts is None:
            return [TokenCount(**told)], self.instruments.unreadable(reply)
        if told and len(counts) > 1:
            raise WhqError(
                "input_tokens and output_tokens are those of one query: record the replies of a list singly."
            )
        return [replace(count, **told) for count in counts], None


class _NoInstruments:
    """Measures nothing, in real time."""

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()

    def meter(self) -> Meter:
        return Meter(self.clock, None)

    def read_queries(self, reply: object) -> tuple[TokenCount, ...]:
        return (_NOTHING_TOLD,)

    def unreadable(self, reply: object) -> str:
        return ""

    def progress(self, meter: Meter) -> None:
        pass


def unmeasured_ledger() -> Ledger:
    """A ledger to run a load with where nothing is to be measured: no warm-up, no energy."""
    return Ledger(_NoInstruments(), Plan(warmup=0))


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
