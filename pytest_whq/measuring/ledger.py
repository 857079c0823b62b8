"""What one test measures: the windows that are open, and the measurements of those that have closed."""

from collections.abc import Callable, Sequence

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.result import combine, detailed, middle_of
from pytest_whq.model import Measurement
from pytest_whq.model.serving import Load
from pytest_whq.queries.reply_reader import ReplyReader

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.


class Ledger:
    """Adds up what a test measures.

    Meters may be open inside each other: a query then counts in all of them, and only the outermost
    one's energy goes into the sum, since it holds that of the others. ``suspects`` tells of the attempts at
    the only figure of a test whether it should be measured once more.
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
        self._open: list[Meter] = []
        self._measurements: list[Measurement] = []
        self._attempts: list[Measurement] = []

    async def open(self, meter: Meter) -> None:
        """Get the devices, unless ``meter`` has claimed them, and all ready for its first span to begin."""
        await meter.claim()
        await meter.open()
        meter.around = self.innermost
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
        measurement = detailed(plain, meter.tallies, figures, self.reader.tokenizer)
        if meter.around is None:
            self._measurements.append(measurement)
        return measurement

    def abandon(self, meter: Meter) -> None:
        """End ``meter`` at once, open or not, with nothing measured."""
        self._leave(meter)
        meter.abandon()

    def wants_another_attempt(self) -> bool:
        """Whether what was measured last, alone in its test, should be measured once more."""
        if self._suspects is None or len(self._measurements) != 1 or self._open:
            return False
        attempts = [*self._attempts, *self._measurements]
        if not self._suspects(attempts):
            return False
        self._attempts = attempts
        self._measurements = []
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
        if self.attempts:
            return middle_of(self.attempts)
        return combine([*self._attempts, *self._measurements])

    def _leave(self, meter: Meter) -> None:
        for tally in meter.tallies:
            tally.abandon_streams()
        if meter in self._open:
            self._open.remove(meter)


def unmeasured_ledger() -> Ledger:
    """A ledger to run a load with where nothing is to be measured: no warm-up, no energy."""
    return Ledger(Instruments(), Plan(warmup=0))
