"""Windows of which another one opens just when the engine is looked at: its counters tell of neither."""

from collections.abc import Callable

from vllm_server import VllmServer

from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.model import Measurement
from pytest_whq.servers.counters import Page, page_of


class Engine:
    """At its next look ``meanwhile`` happens."""

    def __init__(self) -> None:
        self.counts = VllmServer()
        self.meanwhile: Callable[[], None] | None = None

    def look(self) -> Page:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return page_of(self.counts.page())


class Watched:
    """What a test does, beside an engine and without a power source."""

    def __init__(self) -> None:
        self.engine = Engine()
        instruments = Instruments()
        instruments.server = self.engine
        self.ledger = Ledger(instruments, Plan(warmup=0))
        self.opened: list[Meter] = []

    def open(self) -> None:
        meter = self.ledger.meter()
        self.opened.append(meter)
        wait(self.ledger.clock, self.ledger.open(meter))
        meter.begin()

    def ask(self, meter: Meter) -> None:
        self.engine.counts.ask()
        meter.tally.succeed_unread(1)

    def close(self, meter: Meter) -> Measurement:
        return wait(self.ledger.clock, self.ledger.close(meter))


def test_one_that_opens_while_another_is_about_to() -> None:
    test = Watched()
    test.engine.meanwhile = test.open
    test.open()
    for meter in test.opened:
        test.ask(meter)
    assert [test.close(meter).server for meter in test.opened] == [None, None]


def test_one_that_opens_while_another_has_closed_and_waits_for_the_engine_to_count() -> None:
    test = Watched()
    test.open()
    (first,) = test.opened
    test.ask(first)

    def another() -> None:
        test.open()
        test.ask(test.opened[-1])

    test.engine.meanwhile = another
    found = test.close(first)
    assert (found.server, found.has("foreign_queries")) == (None, False)
    assert test.close(test.opened[-1]).server is None


def test_one_after_another_is_told_of_again() -> None:
    test = Watched()
    for _ in range(2):
        test.open()
        test.ask(test.opened[-1])
        server = test.close(test.opened[-1]).server
        assert server is not None
        assert (server.queries, server.foreign_queries) == (1, 0)
