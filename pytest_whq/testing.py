"""A fake clock and a scripted power source, for tests of measuring code that state exact numbers.

```python
clock = FakeClock()
source = ScriptedSource(clock, watts=70.0)
meter = Meter(clock, Sampler(source, clock))
```
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading

__all__ = ["FakeClock", "ScriptedSource"]


class FakeClock:
    """A `pytest_whq.measuring.clock.Clock` whose time passes only while somebody sleeps."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self._now_s = start_s
        self._repeaters: list[_FakeRepeating] = []

    def now(self) -> float:
        """The time now, in seconds."""
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, and what repeats meanwhile take its turns."""
        end_s = self._now_s + seconds
        while due := [r for r in self._repeaters if r.due_s <= end_s]:
            earliest = min(due, key=lambda repeater: repeater.due_s)
            self._now_s = max(self._now_s, earliest.due_s)
            earliest.turn(self)
        self._now_s = max(self._now_s, end_s)

    async def sleep_async(self, seconds: float) -> None:
        """Let time pass; no other task of the event loop gets a turn."""
        self.sleep(seconds)

    def repeat(self, step: Callable[[], float]) -> "_FakeRepeating":
        """Call ``step`` whenever its time has come."""
        repeater = _FakeRepeating(step, self._now_s, self._repeaters)
        self._repeaters.append(repeater)
        return repeater


class _FakeRepeating:
    def __init__(self, step: Callable[[], float], due_s: float, repeaters: "list[_FakeRepeating]") -> None:
        self._step = step
        self._repeaters = repeaters
        self.due_s = due_s

    def turn(self, clock: FakeClock) -> None:
        # While it runs it is not due: the step itself may sleep.
        self.due_s = math.inf
        pause_s = self._step()
        self.due_s = clock.now() + pause_s

    def wake(self) -> None:
        self.due_s = -math.inf

    def stop(self) -> None:
        if self.alive:
            self._repeaters.remove(self)

    @property
    def alive(self) -> bool:
        return self in self._repeaters


class ScriptedSource:
    """One device whose power a test sets, seen through a counter and a power sensor of its making.

    The counter shows, at each multiple of ``period_s`` plus ``phase_s``, the joules drawn since the
    source was made; the power sensor shows, at the same moments, the mean over ``averaging_s``
    before. With ``counter=False`` or ``power=False`` the device lacks that sensor. A reading takes
    ``cost_s``. While ``error`` is set, reading raises it.
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
        averaging_s: float = 0.025,
        counter: bool = True,
        power: bool = True,
        cost_s: float = 0.0,
        device: Device = Device("SCRIPTED-0", "Scripted GPU", 700.0),  # noqa: B008 - frozen
    ) -> None:
        self._clock = clock
        self._period_s, self._phase_s = period_s, phase_s
        self._counter, self._power = counter, power
        self._cost_s = cost_s
        self._device = device
        self._times_s = [-math.inf, clock.now()]
        self._watts = [watts, watts]
        self._origin_s = clock.now()
        self.power_averaging_s = {device.id: averaging_s}
        self.error: SourceError | None = None
        self.closed = False

    def set_watts(self, watts: float) -> None:
        """From now on the device draws ``watts``."""
        self._times_s.append(self._clock.now())
        self._watts.append(watts)

    def call(self, seconds: float, watts: float) -> None:
        """Stand in for an inference call: draw ``watts`` for ``seconds``, then what was drawn before."""
        idle_w = self._watts[-1]
        self.set_watts(watts)
        self._clock.sleep(seconds)
        self.set_watts(idle_w)

    def true_energy_j(self, start_s: float, end_s: float) -> float:
        """Joules drawn between two times."""
        first = bisect_right(self._times_s, start_s) - 1
        last = bisect_right(self._times_s, end_s) - 1
        edges_s = [start_s, *self._times_s[first + 1 : last + 1], end_s]
        watts = self._watts[first : last + 1]
        return math.fsum(w * (b - a) for w, (a, b) in zip(watts, pairwise(edges_s), strict=True))

    def devices(self) -> tuple[Device, ...]:
        """The one device."""
        return (self._device,)

    def read(self) -> tuple[Reading, ...]:
        """What its sensors show now."""
        if self.error is not None:
            raise self.error
        self._clock.sleep(self._cost_s / 2)
        now_s = self._clock.now()
        self._clock.sleep(self._cost_s / 2)
        tick_s = math.floor((now_s - self._phase_s) / self._period_s) * self._period_s + self._phase_s
        averaging_s = self.power_averaging_s[self._device.id]
        energy_j = self.true_energy_j(self._origin_s, max(tick_s, self._origin_s))
        power_w = self.true_energy_j(tick_s - averaging_s, tick_s) / averaging_s
        return (
            Reading(
                self._device.id,
                now_s,
                energy_j if self._counter else None,
                power_w if self._power else None,
            ),
        )

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return (DeviceState(self._device.id),)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
