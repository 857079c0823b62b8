"""A ledger with one window open."""

from virtual_loop import OneSource

from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.plan import Plan
from pytest_whq.testing import FakeClock


class OpenWindow:
    """Counts without a source what is recorded in ``meter``, by a clock that stands still."""

    def __init__(self) -> None:
        self.ledger = Ledger(OneSource(FakeClock(), None), Plan())
        self.meter = self.ledger.instruments.meter()
        wait(self.ledger.clock, self.ledger.open(self.meter))
        self.meter.begin()
