"""Calls to measure on a bench, and the measuring of them in rounds."""

from collections.abc import Callable
from typing import Any

from bench import Bench, a_ledger

from pytest_whq.calling.repeating import repeat, run
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import Measurement, TokenCount

TOLD = TokenCount(12, 5)


class Calls:
    """A call of some seconds that counts how often it was made."""

    def __init__(self, bench: Bench, seconds: float = 0.25) -> None:
        self.bench, self.seconds = bench, seconds
        self.made = 0

    def __call__(self) -> TokenCount:
        self.made += 1
        self.bench.call(self.seconds)
        return TOLD

    async def awaited(self) -> TokenCount:
        return self()


def carry_out(ledger: Ledger, call: Callable[[], Any]) -> Any:
    return run(repeat(ledger, ledger.instruments.meter()), ledger.clock, call)


def measured(bench: Bench, call: Callable[[], Any], **plan: Any) -> tuple[Measurement, Meter]:
    ledger = a_ledger(bench, **plan)
    meter = ledger.instruments.meter()
    run(repeat(ledger, meter), bench.clock, call)
    return ledger.measurement, meter


def true_j(bench: Bench, meter: Meter) -> float:
    return sum(bench.source.true_energy_j(span.start_s, span.end_s) for span in meter.spans)


class Failing(Calls):
    """Calls of which the one numbered ``fails_at``, counted from 1, raises."""

    def __init__(self, bench: Bench, fails_at: int, error: BaseException) -> None:
        super().__init__(bench, 0.5)
        self.fails_at, self.error = fails_at, error

    def __call__(self) -> TokenCount:
        reply = super().__call__()
        if self.made == self.fails_at:
            raise self.error
        return reply
