"""Functions that record each reply of another one, or its failure, in the window that is open then."""

import contextlib
import copy
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from types import FunctionType, MethodType
from typing import Any, TypeGuard

from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.queries.inputs import prompt_of
from pytest_whq.queries.query import UNFINISHED, Answered, Timing
from pytest_whq.queries.request import Asked, asked_by
from pytest_whq.queries.stand_in import StandIn
from pytest_whq.queries.under_way import Later

_RUNNING: ContextVar["_Recorded | None"] = ContextVar("pytest_whq_running", default=None)
"""The recorded call that runs here: what it calls itself is no query beside it."""


def recording(
    ledger: Ledger, window: Callable[[], Meter | None], call: Callable[..., Any]
) -> Callable[..., Any]:
    """What stands in for ``call`` and records what it returns, once that is there.

    ``window`` tells where, at each call; while it tells None nothing is recorded. What records for the
    ledger already is returned as it is.
    """
    if _is_recording(call) and call._whq_ledger is ledger:
        return call
    return _Recording._whq_for(call)(call, ledger, window)  # type: ignore[no-any-return]


def unrecorded(call: Any) -> Any:
    """What ``call`` was before it was recorded, if it was."""
    while _is_recording(call):
        call = call._whq_target
    return call


def _is_recording(call: Any) -> TypeGuard["_Recording"]:
    return issubclass(type(call), _Recording)


class _Recording(StandIn):
    """Stands in for a function, or for any other object that is called."""

    __slots__ = ("_whq_ledger", "_whq_window")

    _whq_ledger: Ledger
    _whq_window: Callable[[], Meter | None]

    def __init__(self, call: Callable[..., Any], ledger: Ledger, window: Callable[[], Meter | None]) -> None:
        super().__init__(call)
        self._whq_ledger = ledger
        self._whq_window = window

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if inspect.iscoroutinefunction(self._whq_target):  # Nothing of it runs before it is awaited.
            return self._whq_awaited(args, kwargs)
        return self._whq_called(args, kwargs)

    async def _whq_awaited(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        __tracebackhide__ = True
        return await self._whq_called(args, kwargs)

    def _whq_called(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        __tracebackhide__ = True
        call = self._whq_target
        around = _RUNNING.get()
        if (around is not None and around.runs) or (meter := self._whq_window()) is None:
            return call(*args, **kwargs)
        query = _Recorded(
            self._whq_ledger, meter, asked_by(call, args, kwargs), prompt_of(call, args, kwargs)
        )
        with query.running():
            reply = call(*args, **kwargs)
        return query.returned(reply)

    def __get__(self, holder: Any, kind: Any = None) -> Any:
        # Of what may stand in a class, only functions become methods of its objects.
        if holder is None or type(self._whq_target) is not FunctionType:
            return self
        return MethodType(self, holder)

    def __copy__(self) -> Any:
        return self._whq_of(copy.copy(self._whq_target))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._whq_of(copy.deepcopy(self._whq_target, memo))

    def _whq_of(self, call: Callable[..., Any]) -> Any:
        return recording(self._whq_ledger, self._whq_window, call)


class _Recorded:
    """One call of a recorded function."""

    def __init__(self, ledger: Ledger, meter: Meter, asked: Asked, prompt: int | None) -> None:
        self._reader = ledger.reader
        self._clock = ledger.clock
        self._receipts = ledger.receipts
        self._meter = meter
        self._asked = asked
        self._started_s = self._clock.now()
        self.runs = False
        if meter.is_open:
            meter.tally.ask(prompt)

    def returned(self, reply: Any) -> Any:
        """Record ``reply``, or see to it that it is recorded; returns what the caller gets for it."""
        if inspect.iscoroutine(reply):
            return self._awaited(reply)
        if hasattr(type(reply), "add_done_callback") and hasattr(type(reply), "result"):
            return self._promised(reply)
        if _is_manager(reply):
            return _Entering._whq_for(reply)(reply, self)
        return self._record(reply)

    def entered(self, reply: Any) -> Any:
        """Record what a context manager has given, if anything."""
        return None if reply is None else self._record(reply)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The call runs: record an error of it as a failed query, and let it pass."""
        __tracebackhide__ = True
        around = _RUNNING.get()
        _RUNNING.set(self)
        self.runs = True
        try:
            yield
        except Exception as error:
            if self._meter.is_open:
                self._meter.tally.fail(type(error).__name__)
            raise
        finally:
            self.runs = False
            _RUNNING.set(around)

    async def _awaited(self, reply: Awaitable[Any]) -> Any:
        __tracebackhide__ = True
        with self.running():
            answer = await reply
        return self._record(answer)

    def _promised(self, future: Any) -> Any:
        if self._meter.is_open:
            later = Later(lambda: self._kept(future), self._meter.tally)
            future.add_done_callback(lambda _: later.abandon())
        return future

    def _kept(self, future: Any) -> Answered:
        """What became of ``future``."""
        if not future.done():
            return Answered((), failures=(UNFINISHED,))
        if future.cancelled():
            return Answered((), failures=("CancelledError",))
        if (error := future.exception()) is not None:
            return Answered((), failures=(type(error).__name__,))
        reply = future.result()
        self._receipts.note(reply)
        timing = Timing(self._clock.now() - self._started_s)
        return self._reader.read(reply, timing=timing, asked=self._asked)

    def _record(self, reply: Any) -> Any:
        if not self._meter.is_open:
            return reply
        received = self._reader.receive(
            reply, self._meter.tally, self._clock.now, self._started_s, asked=self._asked
        )
        if received is reply:
            self._receipts.note(reply)
        return received


def _is_manager(reply: object) -> bool:
    """Whether ``reply`` gives the real reply only inside of a ``with``, as the clients' stream helpers do."""
    kind = type(reply)
    enters = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    if hasattr(kind, "__await__"):
        return enters and not hasattr(kind, "__next__") and not hasattr(kind, "__anext__")
    return enters and (kind.__name__.endswith("StreamManager") or kind.__module__ == "contextlib")


class _Entering(StandIn):
    """Stands in for what is entered, or awaited, to get at a reply."""

    __slots__ = ("_whq_query",)

    _whq_query: _Recorded

    def __init__(self, manager: Any, query: _Recorded) -> None:
        super().__init__(manager)
        self._whq_query = query

    def _whq_await(self) -> Any:
        return self._whq_query._awaited(self._whq_target).__await__()

    def _whq_enter(self) -> Any:
        with self._whq_query.running():
            entered = self._whq_target.__enter__()
        return self._whq_query.entered(entered)

    def _whq_exit(self, *error: Any) -> Any:
        return self._whq_target.__exit__(*error)

    async def _whq_aenter(self) -> Any:
        with self._whq_query.running():
            entered = await self._whq_target.__aenter__()
        return self._whq_query.entered(entered)

    async def _whq_aexit(self, *error: Any) -> Any:
        return await self._whq_target.__aexit__(*error)

    _whq_protocols = {  # noqa: RUF012 - as the base has it
        "__await__": _whq_await,
        "__enter__": _whq_enter,
        "__exit__": _whq_exit,
        "__aenter__": _whq_aenter,
        "__aexit__": _whq_aexit,
    }
