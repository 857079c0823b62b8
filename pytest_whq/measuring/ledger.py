"""What one test measures: the windows that are open, and the measurements of those that have closed."""

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.result import combine
from pytest_whq.measuring.rounds import Plan
from pytest_whq.model import Measurement, TokenCount

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
        self._measurements: list[Measurement] = []

    def opened(self, meter: Meter) -> None:
        """A meter's first span is about to begin."""
        if self._open:
            self._inner.add(meter)
        self._open.append(meter)

    def closing(self, meter: Meter) -> None:
        """The meter's last span has ended."""
        if meter in self._open:
            self._open.remove(meter)

    def closed(self, meter: Meter, *, repeated: bool = False) -> Measurement:
        """Enter what a closed meter measured; ``repeated`` when its spans are rounds of one call."""
        measurement = meter.measurement(repeated=repeated, precision=self.plan.precision)
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
    ) -> None:
        """Count the queries that ``reply`` answers, in ``meter`` and those around it."""
        given = {"input_tokens": input_tokens, "output_tokens": output_tokens}
        told = {name: _checked(name, count) for name, count in given.items() if count is not None}
        counts, unreadable = self._counts(reply, told)
        for count in counts:
            for tally in (one.tally for one in self._around(meter)):
                tally.succeed(count, unreadable)

    def record_failure(self, meter: Meter) -> None:
        """Count a query that failed, in ``meter`` and those around it."""
        for one in self._around(meter):
            one.tally.fail()

    def _around(self, meter: Meter) -> Sequence[Meter]:
        return self._open[: self._open.index(meter) + 1]

    def _counts(self, reply: object, told: dict[str, int]) -> tuple[Sequence[TokenCount], str | None]:
        if len(told) == 2 or (told and reply is None):
            return [TokenCount(**told)], None
        if reply is None:
            return [TokenCount()], "a query was recorded without its reply or its token counts"
        counts = self.instruments.read_queries(reply)
        if counts is None:
            return [TokenCount(**told)], self.instruments.unreadable(reply)
        if told and len(counts) > 1:
            raise WhqError(
                "input_tokens and output_tokens are those of one query: record the replies of a list singly."
            )
        return [replace(count, **told) for count in counts], None


def _checked(name: str, count: Any) -> int:
    try:
        number = operator.index(count)
    except TypeError:
        number = -1
    if number < 0 or isinstance(count, bool):
        raise WhqError(f"{name} must be a whole number of at least 0, not {count!r}.")
    return number
