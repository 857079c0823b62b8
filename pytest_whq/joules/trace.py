"""What one device's sensors showed over time, and its turn into joules. Pure: no clock, no source."""

import math
from collections.abc import Iterator, Sequence

from pytest_whq.joules.believable import Believable
from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import SLOW_SENSOR_S, PowerSamples, power_energy
from pytest_whq.joules.refresh import RefreshPeriod
from pytest_whq.joules.spans import Observed, Span, SpanEnergies, UnmeasurableError
from pytest_whq.model import Reading
from pytest_whq.units import format_quantity

_DISAGREEMENT = 0.05
"""Counter and integrated power read the same sensor: they agree better than this, apart from noise."""

_SELDOM = 1.5
"""A counter whose period is so many times the power sensor's, as assumed, puts that assumption in doubt."""


class Trace:
    """The readings of one device.

    ``power_averaging_s`` is over how long its power sensor averages, in seconds; ``limit_w`` its power limit.
    """

    def __init__(self, power_averaging_s: float = 0.0, limit_w: float | None = None) -> None:
        self.counter = CounterTicks()
        self.power = PowerSamples(power_averaging_s)
        self.readings = 0
        self._believable = Believable(limit_w)

    def add(self, reading: Reading) -> None:
        """Take in a reading; readings come in the order of their times."""
        self.readings += 1
        if reading.energy_j is not None:
            taken = self._believable.energies(reading.time_s, reading.energy_j)
            for number, (time_s, energy_j) in enumerate(taken):
                self.counter.add(time_s, energy_j, broke=number < len(taken) - 1)
        power_w = self._believable.power_w(reading.power_w)
        if power_w is not None:
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

    def settled_after(self, time_s: float) -> bool:
        """Whether the readings since ``time_s`` tell the level there."""
        return self.counter.settled_after(time_s) if self.counts else self.power.settled_after(time_s)

    def observed(self, start_s: float, end_s: float) -> Iterator[Observed]:
        """What the sensor that energy comes from saw between two times, part by part."""
        return (self.counter if self.counts else self.power).observed(start_s, end_s)

    def energies(self, spans: Sequence[Span]) -> SpanEnergies:
        """Joules of each of ``spans``, which are in order and do not overlap.

        Raises `UnmeasurableError` where the readings do not tell.
        """
        if self.counts:
            found = counter_energy(self.counter, spans)
            self._cross_check(found, spans)
            return found
        if len(self.power):
            return power_energy(self.power, spans)
        raise UnmeasurableError(
            "source_error", "the device gave neither energy nor power while the window was open"
        )

    def _cross_check(self, found: SpanEnergies, spans: Sequence[Span]) -> None:
        """Compare the counter with the integral of power, where power tells that too."""
        counter_s = self.counter.period_s or 0.0
        if self.power.refresh.period_s is None and counter_s > _SELDOM * self.power.refresh_s:
            return  # Power may refresh as seldom as the counter, and its readings tell of a time long gone.
        refresh_s = max(self.power.refresh_s, counter_s)
        shortest_s = min(span.duration_s for span in spans)
        # A power sensor that refreshes as seldom as the counter has hardly looked into a short span.
        if self.power.averaging_s >= SLOW_SENSOR_S or shortest_s < 2 * (refresh_s + self.power.averaging_s):
            return
        try:
            integrated = power_energy(self.power, spans)
        except UnmeasurableError:
            return
        difference_j = abs(found.energy_j - integrated.energy_j)
        noise_j = 3 * math.hypot(found.uncertainty_j, integrated.uncertainty_j)
        if difference_j > _DISAGREEMENT * integrated.energy_j + noise_j:
            raise UnmeasurableError(
                "sensors_disagree",
                f"the energy counter says {format_quantity(found.energy_j, 'J')} and the power sensor "
                f"{format_quantity(integrated.energy_j, 'J')}: one of them lags or is wrong",
            )
