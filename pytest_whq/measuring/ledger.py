"""What one test measures: the windows that are open, and the measurements of those that have closed."""

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.combined import combine, middle_of
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.load_edges import widened_by_edges
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.notes import broken_off
from pytest_whq.measuring.overlap import Stretch, lies_in_another, stretch_of, union
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.result import detailed
from pytest_whq.measuring.server_watch import ServerWatch
from pytest_whq.measuring.server_work import Sent, sent_of, with_server
from pytest_whq.model import Measurement
from pytest_whq.model.serving import Load, ServerWork
from pytest_whq.queries.receipts import Receipts
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.queries.tally import Tally

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.


_INNERMOST: ContextVar[Meter | None] = ContextVar("pytest_whq_innermost", default=None)
"""The meter that opened last in this task or thread."""


class Ledger:
    """Adds up what a test measures.

    Meters may be open inside each other: a query then counts in all of them, and only the outermost
    one's energy goes into the sum, since it holds that of the others. Meters of several tasks or threads
    may overlap: the energy of the time in which any of them was open goes into the sum once, and so does
    each of their queries. ``suspects`` tells of the attempts at the only figure of a test whether it should
    be measured once more.
    """

    def __init__(
        self,
        instruments: Instruments,
        plan: Plan,
        suspects: Callable[[Sequence[Measurement]], bool] | None = None,
    ) -> None:
        self.instruments = instruments
        self.plan = plan
        self._suspects = suspects
        self._attempts: list[Measurement] = []
        self.receipts = Receipts()
        self._lock = threading.Lock()
        self._open: list[Meter] = []
        self._unsettled: set[Meter] = set()
        self._closed: list[Stretch] = []

    def meter(self) -> Meter:
        """A meter of the session's, also where several threads ask for their first."""
        with self._lock:
            return self.instruments.meter()

    async def open(self, meter: Meter) -> None:
        """Get the devices, unless ``meter`` has claimed them, and all ready for its first span to begin."""
        await meter.claim()
        await meter.open()
        meter.around = self._open_here()
        try:
            await self._watch(meter)
        except BaseException:
            meter.leave()
            self._settled(meter)
            raise
        _INNERMOST.set(meter)
        self._unsettled.add(meter)
        self._open.append(meter)

    async def close(
        self,
        meter: Meter,
        *,
        repeated: bool = False,
        load: Callable[[], Load] | None = None,
        broken_off_after: str | None = None,
    ) -> Measurement:
        """End the span of ``meter`` that is open, then measure and enter what its spans took.

        ``repeated`` when they are rounds of one call. ``load`` is asked for the figures of a load once all
        joules are known; ``broken_off_after`` says how far it was, where it did not come to its end.
        """
        meter.end()
        self._leave(meter)
        try:
            work = await self._server_work(meter)
            await meter.conclude()
            plain = self._plain(meter, repeated=repeated)
            plain = plain if work is None else with_server(plain, *work)
            figures = None if load is None else load()
            measurement = self._detailed(plain, meter.tallies, figures)
            if figures is not None:
                measurement = widened_by_edges(measurement, figures, self.plan.precision)
            if broken_off_after is not None:
                measurement = broken_off(measurement, broken_off_after)
            if not lies_in_another(meter):
                with self._lock:
                    self._enter(meter, measurement)
        finally:
            meter.leave()
            self._settled(meter)
        return measurement

    def break_off(self, meter: Meter) -> None:
        """End ``meter`` at once; of its spans, rounds of one call, those stay that are done and read."""
        self._leave(meter)
        try:
            if meter.break_off() and not lies_in_another(meter):
                measurement = broken_off(self._detailed(self._plain(meter, repeated=True), meter.tallies))
                with self._lock:
                    self._enter(meter, measurement)
        finally:
            meter.leave()
            self._settled(meter)

    def abandon(self, meter: Meter) -> None:
        """End ``meter`` at once, open or not, with nothing measured."""
        self._leave(meter)
        meter.abandon()
        self._settled(meter)

    def wants_another_attempt(self) -> bool:
        """Whether what was measured last, alone in its test, should be measured once more."""
        if self._suspects is None or len(self._measurements) != 1 or self._open:
            return False
        attempts = [*self._attempts, *self._measurements]
        if not self._suspects(attempts):
            return False
        self._attempts = attempts
        self._closed = []
        return True

    @property
    def attempts(self) -> Sequence[Measurement]:
        """All measurements of the test's only figure, where it was measured more than once."""
        again = self._attempts and len(self._measurements) == 1
        return [*self._attempts, *self._measurements] if again else ()

    @property
    def clock(self) -> Clock:
        """The clock of the session."""
        return self.instruments.clock

    @property
    def reader(self) -> ReplyReader:
        """What reads the session's replies."""
        return self.instruments.reader

    @property
    def innermost(self) -> Meter | None:
        """The meter that opened last of those that are open, in this task or thread where it has one."""
        here = self._open_here()
        return self._open[-1] if here is None and self._open else here

    @property
    def has_measured(self) -> bool:
        """Whether a measurement is complete."""
        return bool(self._closed)

    @property
    def measurement(self) -> Measurement:
        """What the test has measured so far; WhqError where no window has closed yet."""
        if not self._closed:
            raise WhqError(
                "Nothing is measured yet: whq.measurement is there once whq(call) has returned "
                "or a whq.measure() window has closed."
            )
        if self.attempts:
            return middle_of(self.attempts)
        return combine([*self._attempts, *self._measurements])

    @property
    def _measurements(self) -> Sequence[Measurement]:
        return [stretch.measurement for stretch in self._closed]

    def _open_here(self) -> Meter | None:
        """The innermost meter that this task or thread has opened, or that around which it began."""
        meter = _INNERMOST.get()
        while meter is not None and meter not in self._open:
            meter = meter.around
        return meter

    def _enter(self, meter: Meter, measurement: Measurement) -> None:
        """Enter what ``meter`` took; with the windows that it overlaps it becomes one."""
        mine = stretch_of(meter, measurement)
        apart = [other for other in self._closed if not other.overlaps(mine)]
        overlapped = [other for other in self._closed if other.overlaps(mine)]
        if overlapped:
            spans, tallies = union([*overlapped, mine])
            states = tuple(state for one in (*overlapped, mine) for state in one.states)
            found = self._detailed(self._plain(meter.joined(spans, tallies, states)), tallies)
            mine = Stretch(spans, tallies, found, states)
        self._closed = [*apart, mine]

    async def _watch(self, meter: Meter) -> None:
        """Look at the engine before ``meter`` begins, unless one around it watches it already."""
        server = self.instruments.server
        if server is None or meter.around is not None:
            return
        meter.watch = ServerWatch(server)
        with self._lock:
            # Also of those that are about to open, or have closed and wait for the engine to have counted.
            others = [other.watch for other in self._unsettled if other.watch is not None]
            for watch in others:
                watch.spoilt = meter.watch.spoilt = True
            self._unsettled.add(meter)
        await meter.watch.begins()

    async def _server_work(self, meter: Meter) -> tuple[ServerWork | str, Sent] | None:
        """What the engine did, and what of it ``meter`` has asked for; None where it was not watched."""
        if meter.watch is None:
            return None
        tallies = (*meter.tallies, *meter.tallies_beside)
        sent = sent_of([(tally.queries, tally.failed_queries, tally.tokens) for tally in tallies])
        work = await meter.watch.ended(sent.all)
        return None if work is None else (work, sent)

    def _plain(self, meter: Meter, *, repeated: bool = False) -> Measurement:
        plan = self.plan
        return meter.measurement(repeated=repeated, precision=plan.precision, idle_ok=plan.idle_ok)

    def _detailed(
        self, plain: Measurement, tallies: Sequence[Tally], load: Load | None = None
    ) -> Measurement:
        tokenizer = self.reader.tokenizer
        return detailed(plain, tallies, load, tokenizer, max_cached=self.plan.max_cached)

    def _settled(self, meter: Meter) -> None:
        with self._lock:
            self._unsettled.discard(meter)
            if not self._unsettled:  # Nothing will overlap these any more: their queries need not be kept.
                self._closed = [Stretch((), (), closed.measurement) for closed in self._closed]

    def _leave(self, meter: Meter) -> None:
        for tally in meter.tallies:
            tally.abandon_under_way()
        if meter in self._open:
            self._open.remove(meter)
        if _INNERMOST.get() is meter:
            _INNERMOST.set(meter.around)


def unmeasured_ledger() -> Ledger:
    """A ledger to run a load with where nothing is to be measured: no warm-up, no energy."""
    return Ledger(Instruments(), Plan(warmup=0))
