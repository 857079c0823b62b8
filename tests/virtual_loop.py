"""An event loop in virtual time, with a server of scripted power in it: loads with exact figures."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.testing import FakeClock, ScriptedSource


class LoopClock(FakeClock):
    """Passes while the event loop has nothing to do."""

    async def sleep_async(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Selector(selectors.SelectSelector):
    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "the loop waits for nothing that could come"
        if timeout > 0:
            self._clock.sleep(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Takes its time from a fake clock, and lets it pass instead of waiting."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(_Selector(clock))
        self._virtual = clock

    def time(self) -> float:
        return self._virtual.now()


class OneSource(Instruments):
    """Those of a session on a scripted source, with the built-in readers."""

    def __init__(self, clock: FakeClock, source: ScriptedSource | None) -> None:
        self.clock: Clock = clock
        self.sampler = None if source is None else Sampler(source, clock)

    def meter(self) -> Meter:
        return Meter(self.clock, self.sampler)


class Server:
    """Draws 100 W, and 50 W more for each query under way; its counter ticks every microsecond."""

    def __init__(self, warmup: int = 0) -> None:
        self.clock = LoopClock()
        self.source = ScriptedSource(self.clock, 100.0, period_s=1e-6)
        self.ledger = Ledger(OneSource(self.clock, self.source), Plan(warmup=warmup))
        self.in_flight = self.most_in_flight = self.calls = 0

    async def chat(self, seconds: float) -> dict[str, Any]:
        """A reply of 10 input tokens and 20 output tokens, after ``seconds``."""
        self._change(+1)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._change(-1)
        return {"object": "chat.completion", "usage": {"prompt_tokens": 10, "completion_tokens": 20}}

    async def stream(self, seconds: float) -> AsyncIterator[dict[str, Any]]:
        """Five chunks, ``seconds`` before each; the last tells 10 input tokens and 5 output tokens."""
        self._change(+1)
        try:
            for number in range(5):
                await asyncio.sleep(seconds)
                chunk: dict[str, Any] = {"object": "chat.completion.chunk", "n": number}
                chunk["choices"] = [{"delta": {"content": "x"}}]
                if number == 4:
                    chunk["usage"] = {"prompt_tokens": 10, "completion_tokens": 5}
                yield chunk
        finally:
            self._change(-1)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run ``coroutine`` in virtual time."""
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self.clock)) as runner:
            return runner.run(coroutine)

    def _change(self, by: int) -> None:
        self.calls += by == 1
        self.in_flight += by
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.source.set_watts(100.0 + 50.0 * self.in_flight)
