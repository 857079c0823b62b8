"""A power source whose boards see what they draw through sensors of a profile, in virtual time."""

import math
from dataclasses import dataclass
from random import Random

from drawn_power import DrawnPower

from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.base import Probe
from pytest_whq.testing import FakeClock

IDLE_W = 70.0
_POWER_EVERY_S = 0.05
"""Beside a counter power is read no more often, as by the source of NVIDIA's boards."""

_STAGES = ((120.0, 1.0), (90.0, 2.0))
"""Watts of an idle board right after a load, and for how many seconds."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Sensors, and how the board behind them draws; lengths in seconds.

    ``look_s`` is what a sensor sees at the end of each of its periods, and takes for the whole; None sees all
    of it. ``lag_s`` delays the counter, ``smear_s`` makes it approach the truth with that time constant.
    ``averaging_s`` is what the source says of its power sensor, ``power_window_s`` what is true where that
    differs.
    """

    period_s: float | None = 0.1
    look_s: float | None = None
    lag_s: float = 0.0
    smear_s: float = 0.0
    quantum_j: float = 0.001
    power_period_s: float | None = 0.1
    averaging_s: float = 0.1
    power_window_s: float | None = None
    quantum_w: float = 0.001
    sensor_noise: float = 0.0
    jitter: float = 0.0
    cost_s: float = 0.0002
    devices: int = 1
    settling_s: float = 0.0
    stages: bool = False
    noise: float = 0.01
    load: str = "steady"

    @property
    def lies(self) -> bool:
        """Whether its sensors show less, later or more seldom than a right number needs."""
        return bool(self.lag_s or self.smear_s or self.look_s) or self.period_s is None

    @property
    def refresh_s(self) -> float:
        """Of the sensor by which windows are measured."""
        return self.period_s or self.power_period_s or 0.0


class _Grid:
    """The moments at which a sensor refreshes."""

    def __init__(self, period_s: float, phase_s: float, jitter: float, seed: int) -> None:
        self.period_s, self._phase_s, self._jitter, self._seed = period_s, phase_s, jitter, seed

    def time_s(self, number: int) -> float:
        late = Random(self._seed * 1_000_003 + number).uniform(0, self._jitter) if self._jitter else 0.0
        return self._phase_s + (number + late) * self.period_s

    def latest(self, time_s: float) -> int:
        number = math.floor((time_s - self._phase_s) / self.period_s)
        return number if self.time_s(number) <= time_s else number - 1


class _Board:
    def __init__(self, profile: Profile, start_s: float, name: str, random: Random) -> None:
        self.profile = profile
        self.device = Device(name, "Profiled GPU", 700.0)
        settling_s = profile.settling_s
        self.draw = DrawnPower(
            start_s - 5,
            IDLE_W,
            rise_s=settling_s,
            fall_s=settling_s,
            noise=profile.noise,
            seed=random.getrandbits(30),
        )
        self._counter = self._grid(profile.period_s, start_s, random)
        # A counter that is made of looks is made of those that the power sensor shows.
        self._power = self._counter if profile.look_s else self._grid(profile.power_period_s, start_s, random)
        self._offset_j = random.uniform(0, 1e6)
        self._next_power_s = 0.0
        self._noise = Random(random.getrandbits(30))
        self._shown_w: tuple[int, float] | None = None
        self._counted: dict[int, float] = {}

    def _grid(self, period_s: float | None, start_s: float, random: Random) -> _Grid | None:
        if period_s is None:
            return None
        return _Grid(
            period_s, start_s - random.uniform(0, period_s), self.profile.jitter, random.getrandbits(20)
        )

    def reading(self, time_s: float, *, paced: bool = True) -> Reading:
        energy_j = power_w = None
        if self._counter is not None:
            energy_j = self._quantised(
                self._offset_j + self._counter_j(self._counter.latest(time_s)), self.profile.quantum_j
            )
        is_due = self._counter is None or not paced or time_s >= self._next_power_s
        if self._power is not None and is_due:
            self._next_power_s = time_s + _POWER_EVERY_S
            power_w = self._power_w(self._power.latest(time_s))
        return Reading(self.device.id, time_s, energy_j, power_w)

    @staticmethod
    def _quantised(value: float, quantum: float) -> float:
        return math.floor(value / quantum) * quantum

    def _counter_j(self, tick: int) -> float:
        assert self._counter is not None
        if not self.profile.look_s and not self.profile.smear_s:
            return self.draw.energy_j(self._counter.time_s(tick) - self.profile.lag_s)
        first = min(self._counted, default=tick)
        self._counted.setdefault(first, self.draw.energy_j(self._counter.time_s(first)))
        for number in range(max(self._counted) + 1, tick + 1):
            self._counted[number] = self._counted[number - 1] + self._step_j(number)
        return self._counted[tick]

    def _step_j(self, number: int) -> float:
        """What a counter that looks part of the time, or that smears, counts at one of its ticks."""
        assert self._counter is not None
        before_s, time_s = self._counter.time_s(number - 1), self._counter.time_s(number)
        if self.profile.look_s:
            seen_j = self.draw.energy_j(time_s) - self.draw.energy_j(time_s - self.profile.look_s)
            return seen_j / self.profile.look_s * self._counter.period_s
        behind_j = self.draw.energy_j(time_s) - self._counted[number - 1]
        return behind_j * (1 - math.exp(-(time_s - before_s) / self.profile.smear_s))

    def _power_w(self, tick: int) -> float:
        assert self._power is not None
        if self._shown_w is None or self._shown_w[0] != tick:
            time_s = self._power.time_s(tick)
            window_s = self.profile.power_window_s or self.profile.averaging_s
            mean_w = (self.draw.energy_j(time_s) - self.draw.energy_j(time_s - window_s)) / window_s
            mean_w *= 1 + self._noise.gauss(0, self.profile.sensor_noise)
            self._shown_w = tick, self._quantised(mean_w, self.profile.quantum_w)
        return self._shown_w[1]


class ProfiledSource:
    """Boards of one profile, which all draw alike."""

    scope, driver, estimated = "gpu", "profiled", False

    def __init__(self, clock: FakeClock, profile: Profile, seed: int) -> None:
        self.clock, self.profile = clock, profile
        random = Random(seed)
        self.boards = [_Board(profile, clock.now(), f"GPU-{n}", random) for n in range(profile.devices)]
        self.power_averaging_s = {board.device.id: profile.averaging_s for board in self.boards}
        self._staging: list[tuple[float, float]] = []

    def set_watts(self, watts: float) -> None:
        """From now on each board goes to ``watts``."""
        self._stage()
        self._staging = []
        for board in self.boards:
            board.draw.change(self.clock.now(), watts)

    def rest(self) -> None:
        """From now on each board idles: in stages, where its profile has them."""
        stages = _STAGES if self.profile.stages else ()
        self.set_watts(stages[0][0] if stages else IDLE_W)
        at_s = self.clock.now()
        for (_, seconds), watts in zip(stages, [*(w for w, _ in stages[1:]), IDLE_W], strict=False):
            at_s += seconds
            self._staging.append((at_s, watts))

    def true_energy_j(self, start_s: float, end_s: float) -> float:
        """Joules that all boards drew between two times."""
        return sum(board.draw.energy_j(end_s) - board.draw.energy_j(start_s) for board in self.boards)

    def devices(self) -> tuple[Device, ...]:
        return tuple(board.device for board in self.boards)

    def read(self) -> tuple[Reading, ...]:
        return tuple(self._read(board) for board in self.boards)

    def probes(self) -> tuple[Probe, ...]:
        """The counter and the power sensor of the first board, each by itself."""
        device = self.boards[0].device
        return (
            Probe(device, "energy counter", True, lambda: self._look().energy_j),
            Probe(device, "instant power", False, lambda: self._look().power_w),
        )

    def state(self) -> tuple[DeviceState, ...]:
        return ()

    def close(self) -> None:
        """Nothing is held."""

    def _read(self, board: _Board) -> Reading:
        self.clock.spend(self.profile.cost_s / 2)
        self._stage()
        reading = board.reading(self.clock.now())
        self.clock.spend(self.profile.cost_s / 2)
        return reading

    def _look(self) -> Reading:
        self.clock.spend(self.profile.cost_s)
        self._stage()
        return self.boards[0].reading(self.clock.now(), paced=False)

    def _stage(self) -> None:
        while self._staging and self._staging[0][0] <= self.clock.now():
            at_s, watts = self._staging.pop(0)
            for board in self.boards:
                board.draw.change(at_s, watts)
