"""One sensor that is watched by itself, and what its readings tell of it."""

import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean, median

from pytest_whq.calibrating.ended_turns import ticks_of
from pytest_whq.calibrating.step_response import Refresh, Step, averaging_of, level_w, period_of
from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.falling import Tick
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import power_energy
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.spans import Span, SpanEnergies
from pytest_whq.measuring.clock import Clock
from pytest_whq.sources.base import Probe

_RESOLVED = 2.5
"""A period of fewer readings than this may be that of the readings themselves."""
_TYPICAL_REFRESH_S = 0.1
"""Of a sensor that shows the same all the time: nothing tells its own."""


class Watched:
    """The readings of one probe, with what was learned from them; what was not seen is None."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self._times_s, self._shown, self._costs_s = array("d"), array("d"), array("d")
        self._took_s = array("d")
        self.refresh_s: float | None = None
        self.averaging_s: float | None = None
        self.idle_w: float | None = None
        self.busy_w: float | None = None

    def look(self, clock: Clock) -> None:
        """Read once."""
        before_s = clock.now()
        shown = self.probe.look()
        after_s = clock.now()
        self._costs_s.append(after_s - before_s)
        if shown is not None:
            self._times_s.append((before_s + after_s) / 2)
            self._took_s.append(after_s - before_s)
            self._shown.append(shown)

    @property
    def readings(self) -> Iterator[tuple[float, float]]:
        """What was shown, and when."""
        return zip(self._times_s, self._shown, strict=True)

    @property
    def cost_s(self) -> float:
        """Seconds that a reading typically takes."""
        return median(self._costs_s)

    @property
    def ticks(self) -> list[Tick]:
        """The changes of a counter at their likeliest times."""
        return ticks_of(self._changes(), self.refresh_s)

    def next_refresh_s(self, time_s: float) -> float:
        """When it refreshes for the first time after ``time_s``, if it goes on as it did."""
        period_s = self.refresh_s or _TYPICAL_REFRESH_S
        latest_s = max((tick.time_s for tick in self.ticks), default=time_s)
        return latest_s + math.ceil((time_s - latest_s) / period_s) * period_s

    def learn_refresh(self) -> None:
        """Learn the refresh period from all readings so far."""
        period_s = period_of([change.time_s for change in self._changes()])
        if period_s is not None and period_s > _RESOLVED * self._pause_s():
            self.refresh_s = period_s

    def learn_response(self, steps: Sequence[Step]) -> None:
        """Learn what the sensor averages, and the levels, from ``steps`` of the load."""
        refreshes = self._refreshes()
        self.averaging_s = averaging_of(refreshes, steps)
        self.idle_w, self.busy_w = (level_w(refreshes, steps, on=on) for on in (False, True))

    def learn_idle(self) -> None:
        """Take what was shown all the time for the level of an idle device."""
        refreshes = self._refreshes()
        if self.probe.counts and refreshes:
            self.idle_w = fmean(refresh.shown for refresh in refreshes)
        elif self._shown and not self.probe.counts:
            self.idle_w = median(self._shown)

    def energy(self, span: Span) -> SpanEnergies:
        """Joules of ``span`` by this sensor alone; raises `UnmeasurableError` as windows do."""
        if self.probe.counts:
            ticks = CounterTicks()
            for time_s, energy_j in self.readings:
                ticks.add(time_s, energy_j)
            return counter_energy(ticks, [span])
        samples = PowerSamples(self.averaging_s or self.refresh_s or 0.0)
        samples.refresh.period_s = self.refresh_s or _TYPICAL_REFRESH_S
        for time_s, power_w in self.readings:
            samples.add(time_s, power_w)
        return power_energy(samples, [span])

    def _pause_s(self) -> float:
        return (self._times_s[-1] - self._times_s[0]) / (len(self._times_s) - 1)

    def _changes(self) -> list[Refresh]:
        """Each change of what is shown, in watts by a power sensor and in joules by a counter."""
        # A reading that was held up is of any moment while it was, not of its middle.
        cost_s = self.cost_s if self._costs_s else 0.0
        held_s = [max(0.0, took_s - cost_s) / 2 for took_s in self._took_s]
        readings = zip(self._times_s, held_s, self._shown, strict=True)
        return [
            Refresh(
                (before_s - before_held_s + time_s + held_s) / 2,
                shown,
                time_s + held_s - before_s + before_held_s,
            )
            for (before_s, before_held_s, shown_before), (time_s, held_s, shown) in pairwise(readings)
            if shown != shown_before
        ]

    def _refreshes(self) -> list[Refresh]:
        """The same in watts: what a counter has counted since the change before, by whole periods."""
        changes = self._changes()
        if not self.probe.counts:
            return changes
        return [
            Refresh(now.time_s, (now.shown - before.shown) / self._between_s(before, now), now.width_s)
            for before, now in pairwise(changes)
        ]

    def _between_s(self, before: Refresh, now: Refresh) -> float:
        seconds = now.time_s - before.time_s
        return seconds if self.refresh_s is None else max(1, round(seconds / self.refresh_s)) * self.refresh_s
