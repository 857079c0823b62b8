"""What one device's sensors showed over time, and its turn into joules. Pure: no clock, no source."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_whq.joules.believable import Believable
from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.cross_check import differences
from pytest_whq.joules.counting.looks import (
    Sees,
    Steps,
    looked_energy,
    may_look,
    steps_beside,
    what_it_sees,
)
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.settling import CONSTANTS_S
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import FOLLOWS_S, power_energy
from pytest_whq.joules.power_samples import SLOW_SENSOR_S, PowerSamples
from pytest_whq.joules.refresh import RefreshPeriod
from pytest_whq.joules.spans import HOPELESS, Observed, Span, SpanEnergies, UnmeasurableError
from pytest_whq.model import CalibratedBoard, Reading
from pytest_whq.units import format_quantity

_AGREED = 2
"""In so many windows counter and power must have agreed before windows are left without readings of power."""

_CHANCE = 0.6
"""What the two ways to read a counter differ by is in the uncertainty so far that two of it hold either."""

_LONG_S = 0.25
"""In a span of this length sensors that are so far apart that no figure is left are named for it."""

_SELDOM = 1.5
"""A counter whose period is so many times the power sensor's, as assumed, puts that assumption in doubt."""


class Board:
    """What the traces of one board have shown so far, for those that do not show it again.

    ``known`` is what its calibration has shown: it stands until traces show something else.
    """

    def __init__(self, *, falls_at_once: bool = False, known: CalibratedBoard | None = None) -> None:
        known_s = None if known is None else known.settling_s
        self.settling = Settling(CONSTANTS_S[:1] if falls_at_once else None, known_s)
        self.steps: dict[float, Steps] = {}
        self._known_counter = None if known is None else known.counter
        self.agreed = 0
        """Windows in which counter and power told the same, as well as the power sensor can tell."""

    @property
    def counter_sees(self) -> Sees:
        """What the counter is made of."""
        return what_it_sees(self.steps.values(), self._known_counter)


class Trace:
    """The readings of one device.

    ``power_averaging_s`` is over how long its power sensor averages, in seconds; ``limit_w`` its power limit.
    """

    def __init__(
        self, power_averaging_s: float = 0.0, board: Board | None = None, limit_w: float | None = None
    ) -> None:
        self.board = board or Board()
        self.counter = CounterTicks()
        self.power = PowerSamples(power_averaging_s)
        self.readings = 0
        self._believable = Believable(limit_w)

    def add(self, reading: Reading, blur_s: float = 0.0) -> None:
        """Take in a reading; readings come in the order of their times.

        It may be of any moment in the ``blur_s`` around its time: so long it was held up.
        """
        self.readings += 1
        if reading.energy_j is not None:
            taken = self._believable.energies(reading.time_s, reading.energy_j)
            for number, (time_s, energy_j) in enumerate(taken):
                self.counter.add(time_s, energy_j, blur_s, broke=number < len(taken) - 1)
        power_w = self._believable.power_w(reading.power_w)
        # Power that was held up tells of no moment; a counter's joules are of some moment in any case.
        if power_w is not None and not blur_s:
            self.power.add(reading.time_s, power_w)

    @property
    def counts(self) -> bool:
        """Whether the device has shown an energy counter."""
        return self.counter.last_energy_j is not None

    @property
    def refresh_s(self) -> float | None:
        """Refresh period of the sensor that energy comes from, in seconds; None where unknown."""
        return self.counter.period_s if self.counts else self.power.refresh_s

    @property
    def refresh(self) -> RefreshPeriod:
        """The grid on which that sensor refreshes."""
        return (self.counter if self.counts else self.power).refresh

    @property
    def looks_every_s(self) -> float | None:
        """How often that sensor looks, where it sees only part of the time; None where it sees all."""
        if not self.counts:
            return None if self.power.sees_all else self.power.refresh_s
        part = self.is_in_doubt or self.board.counter_sees == "looks"
        return self.counter.period_s if part else None

    @property
    def is_in_doubt(self) -> bool:
        """Whether nothing has shown yet that the counter sees all, and it may be made of looks."""
        return self.board.counter_sees == "unknown" and may_look(self.counter, self.power)

    def settled_after(self, time_s: float, *, fallen: bool = False) -> bool:
        """Whether readings since ``time_s`` tell the level there, and if ``fallen`` how power got there."""
        if self.counts:
            return self.counter.settled_after(time_s, fallen=fallen) and (fallen or self._witness_is_ready)
        return self.power.settled_after(time_s) and (fallen or self.power.refresh_is_seen)

    def observed(self, start_s: float, end_s: float) -> Iterator[Observed]:
        """What the sensor that energy comes from saw between two times, part by part."""
        return (self.counter if self.counts else self.power).observed(start_s, end_s)

    def energies(self, spans: Sequence[Span], beside: Sequence[Span] = ()) -> SpanEnergies:
        """Joules of each of ``spans``, which are in order and do not overlap.

        ``beside`` are spans of the same load right before and after those.
        Raises `UnmeasurableError` where the readings do not tell.
        """
        if self.counts:
            return self._cross_checked(self._counted(spans, beside), spans)
        if len(self.power):
            follows_s = min(FOLLOWS_S, self.board.settling.constants_s[-1])
            return power_energy(self.power, spans, beside, follows_s)
        raise UnmeasurableError(
            "source_error", "the device gave neither energy nor power while the window was open"
        )

    def energies_so_far(self, spans: Sequence[Span]) -> SpanEnergies:
        """Joules of all ``spans`` but the last, what follows which has not been read yet.

        Raises `UnmeasurableError` where the readings do not tell.
        """
        if not self.counts:
            return self.energies(spans[:-1])
        seen_s = self.counter.latest_between_ticks_s
        if seen_s is None or seen_s <= spans[-1].start_s:
            raise UnmeasurableError(
                "counter_stuck", "the counter has not been read since the last span began"
            )
        # What was seen of the last span bounds the pause before it, which is not taken for a level after.
        found = self._counted([*spans[:-1], Span(spans[-1].start_s, seen_s)])
        return replace(found, energies_j=found.energies_j[:-1])

    def _counted(self, spans: Sequence[Span], beside: Sequence[Span] = ()) -> SpanEnergies:
        """Joules by the counter, which may be made of looks until it is shown to see everything."""
        whole = counter_energy(self.counter, spans, self.power, self.board.settling, beside)
        period_s, look_s = self.counter.period_s, self.power.averaging_s
        if period_s is None or not may_look(self.counter, self.power):
            return whole
        self.board.steps[spans[0].start_s] = steps_beside(self.counter, self.power, spans)
        sees = self.board.counter_sees
        if sees == "all":
            return whole
        looked = looked_energy(self.counter, spans, look_s, beside)
        apart_j = abs(whole.energy_j - looked.energy_j)
        if sees == "looks":
            # A few steps that fit may be chance: then the whole was right.
            return replace(looked, uncertainty_j=math.hypot(looked.uncertainty_j, _CHANCE * apart_j))
        return replace(
            whole, uncertainty_j=math.hypot(looked.uncertainty_j, apart_j), unseen_j=looked.unseen_j
        )

    def _cross_checked(self, found: SpanEnergies, spans: Sequence[Span]) -> SpanEnergies:
        """The counter's joules, in doubt by as much as power contradicts them."""
        if not len(self.power) or self._power_may_be_slow:
            return found
        apart = differences(self.counter, self.power, spans)
        doubt_j = 0.0
        for difference in apart:
            doubt_j = max(doubt_j, difference.doubt_j(found.energy_j))
            # A slow counter has hardly been seen beside power, and a short span by no sensor.
            is_seen = spans[-1].end_s - spans[0].start_s >= _LONG_S > (self.counter.period_s or 0.0)
            is_hopeless = doubt_j > HOPELESS * found.energy_j and is_seen
            if difference.is_contradiction(found.energy_j) or is_hopeless:
                by_power_j = max(0.0, found.energy_j - difference.energy_j)
                raise UnmeasurableError(
                    "sensors_disagree",
                    f"the energy counter says {format_quantity(found.energy_j, 'J')} and the power sensor "
                    f"{format_quantity(by_power_j, 'J')}: one of them lags or is wrong",
                )
        self.board.agreed += bool(apart) and doubt_j == 0.0
        return replace(found, uncertainty_j=math.hypot(found.uncertainty_j, doubt_j))

    @property
    def _witness_is_ready(self) -> bool:
        """Whether power, where it is needed to tell a counter that lags, averages over what was counted."""
        if not len(self.power) or not len(self.counter) or self.is_known:
            return True
        is_slow = self.power.averaging_s >= SLOW_SENSOR_S
        return not is_slow or self.power.times_s[-1] - self.counter.times_s[0] >= self.power.memory_s

    @property
    def is_known(self) -> bool:
        """Whether the counter needs no more witness: a few windows have shown what it sees, and when."""
        if not self.counts or (may_look(self.counter, self.power) and self.board.counter_sees != "all"):
            return False
        return self.board.agreed >= _AGREED

    @property
    def _power_may_be_slow(self) -> bool:
        # It may refresh as seldom as the counter, and its readings tell of a time long gone.
        counter_s = self.counter.period_s or 0.0
        return self.power.refresh.period_s is None and counter_s > _SELDOM * self.power.refresh_s
