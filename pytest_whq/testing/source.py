"""A power source whose joules a test states."""

import math
from bisect import bisect_right
from collections.abc import Callable
from random import Random

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.testing.clock import FakeClock


class ScriptedSource:
    """One device whose power a test sets, seen through a counter and a power sensor of its making.

    The counter shows, at each multiple of ``period_s`` plus ``phase_s``, the joules drawn since the
    source was made; with ``look_s`` it looks only at the end of each period, for so long, and takes
    that for the whole. The power sensor shows, at the same moments, the mean over ``averaging_s``
    before. Both show whole thousandths, as NVML does. With ``counter=False`` or ``power=False`` the
    device lacks that sensor. A reading takes ``cost_s``.

    ``noise`` is the standard deviation of the watts of each 10 ms, as a share of them: the device
    draws it in truth, differently for each ``seed``.

    While ``error`` is set, reading raises it. ``alter`` turns each reading into what is shown in its
    place, so a test can make a sensor fail or lie from any moment on.
    """

    scope = "gpu"
    driver = "scripted"
    estimated = False

    def __init__(
        self,
        clock: FakeClock,
        watts: float = 70.0,
        *,
        period_s: float = 0.1,
        phase_s: float = 0.0,
        look_s: float | None = None,
        averaging_s: float = 0.025,
        counter: bool = True,
        power: bool = True,
        cost_s: float = 0.0,
        noise: float = 0.0,
        seed: int = 0,
        device: Device = Device("SCRIPTED-0", "Scripted GPU", 700.0),  # noqa: B008 - frozen
    ) -> None:
        self._clock = clock
        self._period_s, self._phase_s = period_s, phase_s
        self._look_s = look_s
        self._counter, self._power = counter, power
        self._cost_s = cost_s
        self._device = device
        self._draw = _Draw(clock.now(), watts, noise, seed)
        self._first_tick = self._latest_tick()
        self._seen_j = [0.0]
        self.power_averaging_s = {device.id: averaging_s}
        self.error: SourceError | None = None
        self.alter: Callable[[Reading], Reading] | None = None
        self.closed = False

    def set_watts(self, watts: float) -> None:
        """From now on the device draws ``watts``."""
        self._draw.change(self._clock.now(), watts)

    def call(self, seconds: float, watts: float) -> None:
        """Stand in for an inference call: draw ``watts`` for ``seconds``, then what was drawn before."""
        idle_w = self._draw.watts
        self.set_watts(watts)
        self._clock.sleep(seconds)
        self.set_watts(idle_w)

    def true_energy_j(self, start_s: float, end_s: float) -> float:
        """Joules drawn between two times."""
        return self._draw.energy_j(end_s) - self._draw.energy_j(start_s)

    def devices(self) -> tuple[Device, ...]:
        """The one device."""
        return (self._device,)

    def read(self) -> tuple[Reading, ...]:
        """What its sensors show now."""
        if self.error is not None:
            raise self.error
        self._clock.spend(self._cost_s / 2)
        tick = self._latest_tick()
        reading = Reading(
            self._device.id,
            self._clock.now(),
            round(self._counter_j(tick), 3) if self._counter else None,
            round(self._power_w(tick), 3) if self._power else None,
        )
        self._clock.spend(self._cost_s / 2)
        return (reading if self.alter is None else self.alter(reading),)

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return (DeviceState(self._device.id),)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _latest_tick(self) -> int:
        return math.floor((self._clock.now() - self._phase_s) / self._period_s)

    def _tick_s(self, tick: int) -> float:
        return tick * self._period_s + self._phase_s

    def _counter_j(self, tick: int) -> float:
        if self._look_s is None:
            return max(0.0, self._draw.energy_j(self._tick_s(tick)))
        while self._first_tick + len(self._seen_j) <= tick:
            look_end_s = self._tick_s(self._first_tick + len(self._seen_j))
            looked_j = self.true_energy_j(look_end_s - self._look_s, look_end_s)
            self._seen_j.append(self._seen_j[-1] + looked_j / self._look_s * self._period_s)
        return self._seen_j[-1]

    def _power_w(self, tick: int) -> float:
        tick_s, averaging_s = self._tick_s(tick), self.power_averaging_s[self._device.id]
        return self.true_energy_j(tick_s - averaging_s, tick_s) / averaging_s


class _Draw:
    """The watts of a device over time, and their integral."""

    _SLICE_S = 0.01

    def __init__(self, start_s: float, watts: float, noise: float, seed: int) -> None:
        self._starts_s, self._watts, self._energies_j = [start_s], [watts], [0.0]
        self._noise, self._random = noise, Random(seed)
        self._deviations_s = [0.0]

    @property
    def watts(self) -> float:
        """What was set last."""
        return self._watts[-1]

    def change(self, time_s: float, watts: float) -> None:
        """From ``time_s`` on, which is later than all before, it draws ``watts``."""
        self._energies_j.append(self.energy_j(time_s))
        self._starts_s.append(time_s)
        self._watts.append(watts)

    def energy_j(self, time_s: float) -> float:
        """Joules drawn from the start to ``time_s``, negative before the start."""
        index = max(0, bisect_right(self._starts_s, time_s) - 1)
        start_s = self._starts_s[index]
        seconds = time_s - start_s
        if self._noise:
            seconds += self._noise * (self._deviation_s(time_s) - self._deviation_s(start_s))
        return self._energies_j[index] + self._watts[index] * seconds

    def _deviation_s(self, time_s: float) -> float:
        """The integral of noise of standard deviation 1 from the start to ``time_s``."""
        slices = max(0.0, (time_s - self._starts_s[0]) / self._SLICE_S)
        whole = math.floor(slices)
        while len(self._deviations_s) < whole + 2:
            self._deviations_s.append(self._deviations_s[-1] + self._random.gauss() * self._SLICE_S)
        before_s, after_s = self._deviations_s[whole : whole + 2]
        return before_s + (after_s - before_s) * (slices - whole)
