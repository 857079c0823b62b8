"""Looks at the inference engine just before a window and just after it, never in it."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from pytest_whq.errors import SourceError, WhqError, described
from pytest_whq.measuring.clock import pause
from pytest_whq.model.serving import ServerWork
from pytest_whq.real_time import now_s
from pytest_whq.servers.counters import Page, RestartedError, work_between

QUIET_S = 1.0
"""Waited at most, before a window, until what ran before it is counted."""

LATE_S = 3.0
"""Waited at most, after a window, until the engine has counted what it answered."""

_LONGEST_S = 10.0
"""For one look, after which the engine counts as hung."""

_AGAIN_S = 0.1
_POLL_S, _TURN_S = 0.02, 0.005
"""Between two turns in which a look is waited for, and how long each of them blocks."""

Result = TypeVar("Result")


class Looks(Protocol):
    """An engine that can be looked at."""

    def look(self) -> Page:
        """What it shows; SourceError where it cannot be seen."""


class ServerWatch:
    """What ``server`` does while one window, or the rounds of one call, are open.

    Nothing is known where another window was open meanwhile: counters do not tell whose work it was.
    """

    def __init__(self, server: Looks) -> None:
        self._server = server
        self._before: Page | str | None = None
        self.spoilt = False

    async def begins(self) -> None:
        """Look at it before the window, once it has nothing to do, or after a while."""
        self._before = await self._settled(QUIET_S, lambda page: page.busy == 0)

    async def ended(self, sent: int) -> ServerWork | str | None:
        """What it did since, of which ``sent`` queries are the test's; a sentence where it does not tell.

        It is looked at until it has nothing to do and has counted those, or more, or for a while. None
        where another window was open meanwhile.
        """
        before = self._before
        if self.spoilt or before is None:
            return None
        if isinstance(before, str):
            return before

        def counted(page: Page) -> bool:
            try:
                found = work_between(before, page).queries
            except RestartedError:
                return True
            # Once others' are among them, waiting only adds what comes after the window.
            return (found or 0) > sent or (page.busy == 0 and found in (None, sent))

        after = await self._settled(LATE_S, counted)
        if self.spoilt:
            return None
        if isinstance(after, str):
            return after
        try:
            return work_between(before, after)
        except RestartedError:
            return (
                f"{after.engine.name} was started anew while the window was open, or several engines answer "
                "at whq_server in turn: its counters tell nothing of the window"
            )

    async def _settled(self, longest_s: float, enough: Callable[[Page], bool]) -> Page | str:
        until_s = now_s() + longest_s
        try:
            while True:
                page = await _beside(self._server.look)
                if enough(page) or now_s() >= until_s:
                    return page
                await pause(_AGAIN_S)
        except WhqError as error:
            return str(error)


async def _beside(function: Callable[[], Result]) -> Result:
    """What ``function`` returns, which runs in a thread: what it asks may be served by this one."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - the caller's to handle
            errors.append(error)

    thread = threading.Thread(target=run, name="pytest-whq server", daemon=True)
    began_s = now_s()
    thread.start()
    thread.join(_TURN_S)
    while thread.is_alive():
        if now_s() - began_s > _LONGEST_S:
            raise SourceError(f"whq_server: the engine has not answered within {_LONGEST_S:.0f} s.")
        await pause(_POLL_S)
        thread.join(_TURN_S)
    if errors:
        if isinstance(errors[0], WhqError):
            raise errors[0]
        raise SourceError(f"whq_server: its counters were not read: {described(errors[0])}")
    return results[0]
