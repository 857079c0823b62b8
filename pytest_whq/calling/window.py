"""A window of the test's own, in which it makes the calls and records them."""

from types import TracebackType
from typing import Any, Self, TypeVar, overload

from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import Waits, wait, wait_async
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import Measurement
from pytest_whq.queries.receipts import Receipts
from pytest_whq.units import number_of

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.

Reply = TypeVar("Reply")

_NOTHING_LEFT = object()


class Window:
    """One contiguous stretch of a test in which energy is measured and queries are recorded.

    Without a ledger nothing is. ``outcomes`` are what a test may end with beside an `Exception`: any other
    error ends the session or the task, and must not be held up by a measurement.
    """

    outcomes: tuple[type[BaseException], ...] = ()

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self.meter = None if ledger is None else ledger.meter()
        self._reader = None if ledger is None else ledger.reader
        self._measurement: Measurement | None = None
        self._queries = 0

    @overload
    def record(
        self, *, input_tokens: int | None = None, output_tokens: int | None = None, ok: bool = True
    ) -> None: ...

    @overload
    def record(
        self,
        reply: Reply,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        ok: bool = True,
    ) -> Reply: ...

    def record(
        self,
        reply: Any = None,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        ok: bool = True,
    ) -> Any:
        """Record one query and return its ``reply``; a list of replies is one query each.

        Tokens are read from the reply where they are not given. ``ok=False`` records a failed query.
        A reply that is a stream is a query once it is read to its end: read what this returns. One that
        `whq.wrap` has recorded already counts once.
        """
        if self._ledger is None or self._reader is None or self.meter is None:
            return reply
        if not self.meter.is_open:
            raise WhqError("A query is recorded while its window is open: inside the with of whq.measure().")
        self._queries += 1
        self._ledger.instruments.progress(self._said, often=True)
        if not ok:
            self.meter.tally.fail()
            return reply
        left = _left(reply, self._ledger.receipts)
        if left is _NOTHING_LEFT:
            return reply
        received = self._reader.receive(
            left,
            self.meter.tally,
            self._ledger.clock.now,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )
        return received if left is reply else reply

    def _said(self) -> str:
        return f"{number_of(self._queries, 'query', 'queries')} recorded"

    @property
    def measurement(self) -> Measurement:
        """What was measured, once the window is closed."""
        if self._measurement is None:
            raise WhqError("A window's measurement is there once it has closed, after its with block.")
        return self._measurement

    def __enter__(self) -> Self:
        if self._ledger is not None:
            wait(self._ledger.clock, self._open(self._ledger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            wait(self._ledger.clock, self._close(self._ledger, kind))

    async def __aenter__(self) -> Self:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._open(self._ledger))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            await wait_async(self._ledger.clock, self._close(self._ledger, kind))

    def _open(self, ledger: Ledger) -> Waits[None]:
        assert self.meter is not None
        if self.meter.is_open or self.meter.spans:
            raise WhqError("A window opens once: call whq.measure() again for another one.")
        return _open(ledger, self.meter)

    async def _close(self, ledger: Ledger, kind: type[BaseException] | None) -> None:
        assert self.meter is not None
        if kind is not None and not issubclass(kind, (Exception, *self.outcomes)):
            ledger.abandon(self.meter)
        else:
            self._measurement = await ledger.close(self.meter)


def _left(reply: Any, receipts: Receipts) -> Any:
    """What of ``reply``, which may be a list of replies, is not recorded yet."""
    if receipts.spend(reply):
        return _NOTHING_LEFT
    if receipts and type(reply) in (list, tuple):
        left = [one for one in reply if not receipts.spend(one)]
        return reply if len(left) == len(reply) else left or _NOTHING_LEFT
    return reply


async def _open(ledger: Ledger, meter: Meter) -> None:
    await ledger.open(meter)
    ledger.instruments.progress(lambda: "measuring", often=True)
    meter.begin()
