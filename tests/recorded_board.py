"""A power source that shows again what the sensors of a real GPU have shown, in virtual time.

The traces are those of `benchmarks/board_trace.py`. What the GPU drew nobody knows; but its counter, which
sees all that is drawn, is exact from rest to rest.
"""

import gzip
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_whq.joules.spans import Span
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.testing import FakeClock

SENSORS = Path(__file__).parent.parent / "docs" / "sensors"
BOARDS = ("nvidia-h200", "nvidia-h100-80gb-hbm3")

_POWER_EVERY_S = 0.05
_BLOCKED_S = 0.01
"""A change that was seen no better than to this was read by a call that the driver held up."""

_LEVEL_TICKS = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sensor came to show, each between two readings of the recorder."""

    before_s: Sequence[float]
    after_s: Sequence[float]
    values: Sequence[float]

    @property
    def times_s(self) -> list[float]:
        """The middles between both."""
        return [(before + after) / 2 for before, after in zip(self.before_s, self.after_s, strict=True)]


@dataclass(frozen=True, slots=True)
class Recording:
    """The trace of one board; ``turns`` are those of its load, by name, in seconds since it began."""

    device: Device
    counter: Shown
    power: Shown
    reading_s: float
    turns: Sequence[tuple[str, Span]]

    def turns_of(self, name: str) -> list[Span]:
        """Those whose name begins so."""
        return [span for each, span in self.turns if each.startswith(name)]

    def drawn_j(self, span: Span) -> float:
        """What was drawn in ``span`` and while power fell after it, by the counter from rest to rest."""
        times_s, energies_j = self.counter.times_s, self.counter.values
        first = bisect_left(times_s, span.start_s) - 1
        last = bisect_right(times_s, span.end_s) + 1
        before = first - _LEVEL_TICKS
        rest_w = (energies_j[first] - energies_j[before]) / (times_s[first] - times_s[before])
        outside_s = times_s[last] - times_s[first] - span.duration_s
        return energies_j[last] - energies_j[first] - rest_w * outside_s


@cache
def recording(board: str) -> Recording:
    """The trace of ``board``, one of `BOARDS`."""
    document = json.loads(gzip.decompress((SENSORS / f"{board}.trace.json.gz").read_bytes()))
    sensors = {each["sensor"]: each for each in document["sensors"]}
    gpu = document["gpu"]
    return Recording(
        Device("GPU-recorded", gpu["name"], gpu["power_limit_w"]),
        _shown(sensors["energy counter"]),
        _shown(sensors["instant power"]),
        sensors["energy counter"]["reading_s"]["median"],
        [
            (turn["name"], Span(turn["times_s"][1], turn["times_s"][3]))
            for turn in document["turns"]
            if len(turn["times_s"]) == 4
        ],
    )


def _shown(sensor: dict[str, Any]) -> Shown:
    before_s, after_s, values = zip(*sensor["changes"], strict=True)
    return Shown(before_s, after_s, values)


class RecordedSource:
    """The board of ``recorded``, from the moment on at which this is made; reading it takes as long."""

    scope, driver, estimated = "gpu", "recorded", False

    def __init__(self, clock: FakeClock, recorded: Recording) -> None:
        self.clock, self.recorded = clock, recorded
        self.zero_s = clock.now()
        # As the source of NVIDIA's boards has it of all Hopper boards, which is not what these showed.
        self.power_averaging_s = {recorded.device.id: 0.025}
        self._counter_s, self._power_s = recorded.counter.times_s, recorded.power.times_s
        self._next_power_s = 0.0

    def devices(self) -> tuple[Device, ...]:
        return (self.recorded.device,)

    def read(self) -> tuple[Reading, ...]:
        before_s = self.clock.now() - self.zero_s
        took_s = self._takes_s(before_s)
        energy_j = self._at(self._counter_s, self.recorded.counter, before_s + took_s / 2)
        self.clock.spend(took_s)
        after_s = before_s + took_s
        power_w = None
        if after_s >= self._next_power_s:
            power_w = self._at(self._power_s, self.recorded.power, after_s)
            self._next_power_s = after_s + _POWER_EVERY_S
        return (Reading(self.recorded.device.id, self.zero_s + (before_s + after_s) / 2, energy_j, power_w),)

    def _takes_s(self, start_s: float) -> float:
        """Seconds that a call takes, which near some refreshes waits until these are over."""
        typical_s = self.recorded.reading_s
        number = bisect_right(self._counter_s, start_s)
        if number == len(self._counter_s):
            return typical_s
        earliest_s, refreshed_s = self.recorded.counter.before_s[number], self._counter_s[number]
        held_up = self.recorded.counter.after_s[number] - earliest_s > _BLOCKED_S
        if held_up and start_s + typical_s > earliest_s:
            return max(typical_s, refreshed_s + _BLOCKED_S - start_s)
        return typical_s

    @staticmethod
    def _at(times_s: Sequence[float], shown: Shown, time_s: float) -> float:
        return shown.values[max(0, bisect_right(times_s, time_s) - 1)]

    def state(self) -> tuple[DeviceState, ...]:
        return ()

    def close(self) -> None:
        pass
