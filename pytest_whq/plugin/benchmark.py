"""The ``benchmark`` fixture of pytest-benchmark and pytest-codspeed, whose calls are queries in a window."""

import functools
import itertools
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_whq.calling.window import Window
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.model import TokenCount
from pytest_whq.plugin.fixture import whq_of_test
from pytest_whq.queries.followed_stream import is_stream
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.queries.unread import is_unread
from pytest_whq.tokens.responses import status_of

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.

Call = Callable[..., Any]


class MeasuredBenchmarks:
    """Lets each ``benchmark`` that a test gets measure what it calls; it is the same object as ever.

    ``ledger_of`` is asked when the first call is made, so that a benchmark which is skipped has no record.
    """

    def __init__(self, ledger_of: Callable[[pytest.Item], Ledger]) -> None:
        self._ledger_of = ledger_of

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Measure what the fixture of this name gives, if it is one of these two packages'."""
        found = yield
        if fixturedef.argname in NAMES and callable(getattr(type(found), "pedantic", None)):
            _measure(found, functools.partial(self._ledger_of, request.node))
        return found


NAMES = ("benchmark", "codspeed_benchmark")


def _measure(fixture: Any, ledger: Callable[[], Ledger]) -> None:
    cls: Any = type(fixture)
    if getattr(cls, "whq_measures", False):
        return  # One of codspeed's is known by both names.

    class Measured(cls):  # type: ignore[misc]
        whq_measures = True

        def __call__(self, call: Call, *args: Any, **kwargs: Any) -> Any:
            return _in_window(ledger(), call, lambda counted: cls.__call__(self, counted, *args, **kwargs))

        def pedantic(self, target: Call, *args: Any, **kwargs: Any) -> Any:
            return _in_window(ledger(), target, lambda counted: cls.pedantic(self, counted, *args, **kwargs))

    Measured.__name__, Measured.__qualname__ = cls.__name__, cls.__qualname__
    # Not by assignment: codspeed's class says that it is another one.
    type.__getattribute__(object, "__dict__")["__class__"].__set__(fixture, Measured)


def _in_window(ledger: Ledger, call: Call, benchmark: Callable[[Call], Any]) -> Any:
    with whq_of_test(ledger).measure() as window:
        counting = _Counting(call, window, ledger.reader)
        try:
            return benchmark(counting.call)
        finally:
            counting.finish()


class _Counting:
    """Counts calls as queries, at next to no cost where replies tell nothing.

    A type whose first reply tells no tokens is not read again: what is timed is to stay what it was.
    """

    def __init__(self, call: Call, window: Window, reader: ReplyReader) -> None:
        self._window = window
        self._reader = reader
        self._silent: set[type[Any]] = set()
        self._unread = itertools.count()
        self.call = self._counted(call)

    def _counted(self, call: Call) -> Call:
        # Local, and the count in C: each call that is timed waits for these.
        silent, count = self._silent, self._unread.__next__

        @functools.wraps(call)
        def counted(*args: Any, **kwargs: Any) -> Any:
            try:
                reply = call(*args, **kwargs)
            except Exception:
                self._window.record(ok=False)
                raise
            if type(reply) in silent:
                count()
                return reply
            return self._read(reply)

        return counted

    def _read(self, reply: Any) -> Any:
        # Of responses each is looked at: the next one may be a refusal.
        if status_of(reply) is None and self._tells_nothing(reply):
            self._silent.add(type(reply))
        return self._window.record(reply)

    def _tells_nothing(self, reply: Any) -> bool:
        if is_stream(reply) or is_unread(reply) or hasattr(type(reply), "__await__"):
            return False
        answered = self._reader.read(reply)
        return not answered.failures and [query.tokens for query in answered.queries] == [TokenCount()]

    def finish(self) -> None:
        """Count what was not read: the window is about to close."""
        if self._window.meter is not None:
            self._window.meter.tally.succeed_unread(next(self._unread))
