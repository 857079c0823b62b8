"""Calls into drivers and plugins, which may hang: none of them holds up its caller for long."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from pytest_whq.errors import SourceError, WhqError, described
from pytest_whq.real_time import now_s
from pytest_whq.units import format_seconds

Result = TypeVar("Result")

LIMIT_S = 10.0
"""Longer than any driver takes that works, and short enough to wait for one that does not."""

_LOOK_EVERY_S = 0.1


class BoundedCalls:
    """Calls that are to a source ``name``, each made in a thread and waited for at most ``limit_s`` long.

    So Ctrl-C and timeouts act at once, whatever the call is stuck in: its thread, a daemon, is left behind
    and keeps no session from ending. While it is stuck no other call is made, but refused at once.
    ``option`` is what lets it take longer.
    """

    def __init__(self, name: str, limit_s: float = LIMIT_S, option: str = "--whq-driver-timeout") -> None:
        self._name = name
        self._limit_s = limit_s
        self._option = option
        self._latest: _Call | None = None

    def call(
        self, what: str, function: Callable[[], Result], give_back: Callable[[Result], object] | None = None
    ) -> Result:
        """What ``function`` returns; SourceError where it does not ``what``, or not in time.

        A `WhqError` of its own passes through.

        A result that comes too late is given to ``give_back``.
        """
        return self._made(what, function, lambda call: call.ended.wait(self._limit_s), give_back)

    def follow(
        self, what: str, function: Callable[[], Result], stuck_since_s: Callable[[], float | None]
    ) -> Result:
        """As `call`, of work that takes its time, in which single steps must not take longer than a call may.

        ``stuck_since_s`` tells since when a step has not come back, None where none is under way.
        """

        def has_ended(call: _Call) -> bool:
            while not call.ended.wait(_LOOK_EVERY_S):
                since_s = stuck_since_s()
                if since_s is not None and now_s() - since_s > self._limit_s:
                    return False
            return True

        return self._made(what, function, has_ended)

    def _made(
        self,
        what: str,
        function: Callable[[], Result],
        has_ended: "Callable[[_Call], bool]",
        give_back: Callable[[Result], object] | None = None,
    ) -> Result:
        if self._latest is not None and self._latest.is_stuck:
            raise self._hangs(self._latest.what)
        call = self._latest = _Call(what, function, give_back)
        try:
            # In two steps, or an interrupt between them would leave a call that nobody gave up.
            call.start()
            if has_ended(call):
                return cast(Result, self._outcome(call))
        finally:
            call.give_up()
        raise self._hangs(what)

    def _outcome(self, call: "_Call") -> Any:
        if call.error is None:
            return call.result
        if isinstance(call.error, WhqError):
            raise call.error
        # Out of a binding or a plugin anything may come, and not even SystemExit may end a session.
        raise SourceError(
            f"The power source {self._name} did not {call.what}: {described(call.error)}"
        ) from call.error

    def _hangs(self, what: str) -> SourceError:
        return SourceError(
            f"The power source {self._name} did not {what} within {format_seconds(self._limit_s)}: its "
            f"driver may hang. See the system's log, or let it take longer with {self._option}."
        )


class _Call:
    """One call in its thread, until it ends or is given up."""

    def __init__(self, what: str, function: Callable[[], Any], give_back: Callable[[Any], object] | None):
        self.what = what
        self.ended = threading.Event()
        self._function = function
        self._give_back = give_back
        self.result: Any = None
        self.error: BaseException | None = None
        self._given_up = False
        # A thread counts as alive for a moment after its last line.
        self._over = False
        self._deciding = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="pytest-whq driver", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_stuck(self) -> bool:
        """Whether it was given up and has not ended yet; what a fork left behind is not there any more."""
        return self._given_up and not self._over and self._thread.is_alive()

    def give_up(self) -> None:
        """Nobody asks for the outcome any more; nothing, where it is there."""
        with self._deciding:
            self._given_up = not self.ended.is_set()

    def _run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:  # noqa: BLE001 - the caller's to handle
            self.error = error
        with self._deciding:
            self.ended.set()
            too_late = self._given_up and self.error is None
        if too_late and self._give_back is not None:
            # Nobody is left to hear of what goes wrong.
            with suppress(BaseException):
                self._give_back(self.result)
        self._over = True
