"""A source that is asked one thing at a time, by whichever thread, and may hang."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pytest_whq.errors import SourceError, described
from pytest_whq.measuring.clock import Clock
from pytest_whq.model import DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.sources.facts import facts_of

SILENCE_S = 2.0
"""Around an edge, longer without a reading than any sensor takes means that the thread is gone or hangs."""


class AskedSource:
    """``source`` as the threads of a session share it; its last error is kept.

    ``last_s`` is when it was last read, ``hangs`` whether what it was asked last has not ended.
    """

    def __init__(self, source: PowerSource, clock: Clock, calls: BoundedCalls) -> None:
        self._source = source
        self._clock = clock
        self._calls = calls
        self._notes_since = facts_of(source).notes_since
        self._lock = threading.Lock()
        self._error: tuple[float, SourceError] | None = None
        self.last_s = 0.0
        self.hangs = False

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Let no other thread ask meanwhile, and none read; False where a reading hangs, and one may."""
        reached = False
        try:
            # Waited for once: with a driver that hangs a session goes on without it.
            reached = self._lock.acquire(timeout=0 if self.hangs else SILENCE_S)
            if reached:
                self.hangs = False
            else:
                self.note_hanging()
            yield reached
        finally:
            if reached:
                self._lock.release()

    def note_hanging(self) -> None:
        """A reading has not ended in time."""
        self.hangs = True
        self._error = (self._clock.now(), hanging_error(SILENCE_S))

    def forget_errors(self) -> None:
        """What was wrong is of no interest any more."""
        self._error = None

    def error_since(self, time_s: float) -> SourceError | None:
        """The last error, if it was at ``time_s`` or later."""
        return None if self._error is None or self._error[0] < time_s else self._error[1]

    def read(self, take: Callable[[Sequence[Reading], float], None]) -> bool:
        """Let ``take`` have the readings of now and the seconds they took, `alone`; False where it fails."""
        before_s = self._clock.now()
        try:
            readings = self._source.read()
            self.last_s = self._clock.now()
            take(readings, self.last_s - before_s)
        except SourceError as error:
            self._error = (before_s, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's source may raise anything
            self._error = (before_s, SourceError(f"the power source failed: {described(error)}"))
        else:
            return True
        return False

    def state(self) -> tuple[DeviceState, ...]:
        """What the devices say of themselves now, as far as the source tells."""
        with self.alone() as reached:
            if not reached:
                return ()
        try:
            return self._calls.call("tell its state", self._state_alone)
        except SourceError:  # It is a courtesy: without it there are no warnings.
            return ()

    def _state_alone(self) -> tuple[DeviceState, ...]:
        # One that never answers is not read any more either.
        with self._lock:
            return tuple(state for state in self._source.state() or () if isinstance(state, DeviceState))

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """What the source says of its joules since then."""
        with self.alone() as reached:
            try:
                return self._notes_since(start_s) if reached else ()
            except SourceError:  # A courtesy, as the state is.
                return ()


def hanging_error(silent_s: float) -> SourceError:
    """What is told of a source that has not answered for so long."""
    return SourceError(f"the power source has not answered for {silent_s:.1f} s; its driver may hang")
