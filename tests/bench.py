"""A meter on a scripted source under a fake clock, to measure with in virtual time."""

from collections.abc import Callable, Sequence
from typing import Any

from pytest_whq.measuring.clock import Clock, wait
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.plan import Plan
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, Measurement, Reason, TokenCount
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.combined import CombinedSource
from pytest_whq.testing import FakeClock, ScriptedSource

IDLE_W, BUSY_W = 70.0, 450.0


class Bench:
    """One scripted GPU that idles at 70 W, and all that it takes to measure it.

    Its power sensor sees all of the time, so that its counter is taken to see it, too.
    """

    def __init__(self, *, late_s: float = 0.0, seed: int = 0, **how: Any) -> None:
        how.setdefault("averaging_s", min(0.1, how.get("period_s", 0.1)))
        self.clock = FakeClock(late_s=late_s, seed=seed)
        self.source = ScriptedSource(self.clock, IDLE_W, seed=seed, **how)
        self.sampler = Sampler(self.source, self.clock)

    def meter(self) -> Meter:
        return Meter(self.clock, self.sampler)

    def call(self, seconds: float, watts: float = BUSY_W) -> None:
        """Stand in for an inference call."""
        self.source.call(seconds, watts)

    def measure(self, seconds: float, watts: float = BUSY_W) -> "Window":
        """Measure a window with one call in it, which takes all of it."""
        window = self.open()
        self.call(seconds, watts)
        return window.close()

    def open(self) -> "Window":
        window = Window(self)
        wait(self.clock, window.meter.open())
        window.meter.begin()
        return window

    def idle(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    @property
    def readings(self) -> int:
        return sum(trace.readings for trace in self.sampler.traces.values())


class Window:
    """A window of a test's own, or the rounds of a call."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.meter = bench, bench.meter()
        self.measurement: Measurement

    def close(self) -> "Window":
        self.meter.end()
        wait(self.bench.clock, self.meter.close())
        self.measurement = self.meter.measurement(precision=0.02)
        return self

    @property
    def energy_j(self) -> float:
        assert self.measurement.energy_j is not None, self.measurement.reasons
        return self.measurement.energy_j

    @property
    def uncertainty_j(self) -> float:
        assert self.measurement.uncertainty_j is not None
        return self.measurement.uncertainty_j

    @property
    def true_j(self) -> float:
        spans = self.meter.spans
        return sum(self.bench.source.true_energy_j(span.start_s, span.end_s) for span in spans)

    @property
    def error(self) -> float:
        """By how much the energy is wrong, as a share of the truth."""
        return self.energy_j / self.true_j - 1

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.measurement.reasons if reason.code != "no_queries"]

    @property
    def faults(self) -> list[str]:
        """The same without `imprecise`: how fast power falls is not known at a board's first window."""
        return [code for code in self.codes if code != "imprecise"]

    @property
    def sentence(self) -> str:
        """Why it could not be measured."""
        assert self.measurement.energy_j is None
        return self.measurement.reasons[0].sentence


class Notes(Instruments):
    """The instruments of a session that notes its meters; a reply may be its own TokenCount."""

    reader = ReplyReader(lambda reply: reply if isinstance(reply, TokenCount) else None)

    def __init__(
        self, bench: Bench, *, source: PowerSource | None = None, why_not: Reason | None = None
    ) -> None:
        self.clock: Clock = bench.clock
        self.meters: list[Meter] = []
        self.seen: list[str] = []
        self._why_not = why_not
        self._sampler = bench.sampler if source is None else Sampler(source, bench.clock)

    def meter(self) -> Meter:
        sampler = self._sampler if self._why_not is None else None
        self.meters.append(Meter(self.clock, sampler, self._why_not))
        return self.meters[-1]

    def progress(self, said: Callable[[], str], *, often: bool = False) -> None:
        if not often:
            self.seen.append(said())


def a_ledger(bench: Bench, **plan: Any) -> Ledger:
    """A ledger of a test that measures on ``bench``."""
    return Ledger(Notes(bench), Plan(**plan))


def two_gpus(
    clock: FakeClock, watts: Sequence[float] = (70.0, 90.0)
) -> tuple[ScriptedSource, ScriptedSource, CombinedSource]:
    """Two scripted GPUs, and both as one source."""
    first, second = (
        ScriptedSource(clock, w, phase_s=0.03 * n, device=Device(f"GPU-{n}", f"GPU {n}"))
        for n, w in enumerate(watts)
    )
    return first, second, CombinedSource([first, second])
