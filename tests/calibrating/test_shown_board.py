"""What calibration shows of boards of the profiles: what their counters see, and how fast power falls."""

import pytest
from profiled_board import Profile, ProfiledSource
from sensor_profiles import PROFILES

from pytest_whq.calibrating.calibration import Calibration, calibrate
from pytest_whq.sources.base import Probe
from pytest_whq.testing import FakeClock


class ProfiledLoad:
    """Lets a board draw 450 W, or rest."""

    name = "profiled"

    def __init__(self, source: ProfiledSource) -> None:
        self._source = source
        self.switched_off = False

    def switch(self, *, on: bool) -> None:
        self._source.set_watts(450.0) if on else self._source.rest()
        self._source.clock.spend(0.001)
        self.switched_off = not on


class HeldUp:
    """Readings of 3 ms, which the refresh after a load holds up for some 20 more, as real drivers do."""

    def __init__(self, source: ProfiledSource, load: ProfiledLoad) -> None:
        self.source, self.load, self._shown_j = source, load, 0.0

    def look(self) -> float | None:
        clock, before_j = self.source.clock, self._shown_j
        clock.spend(0.003)
        energy_j = self.source.boards[0].reading(clock.now()).energy_j
        assert energy_j is not None
        self._shown_j = energy_j
        if energy_j != before_j and self.load.switched_off:
            self.load.switched_off = False
            clock.spend(0.02)
        return energy_j


def calibrated(profile: str) -> Calibration:
    clock = FakeClock(late_s=0.0005, seed=1)
    source = ProfiledSource(clock, PROFILES[profile], 5)
    (device,) = source.devices()
    return calibrate(device, source.probes(), clock, ProfiledLoad(source), longest_s=0.5)


@pytest.mark.once
@pytest.mark.parametrize(
    ("profile", "counter", "settling_s"),
    [
        ("ideal", "whole", (0.0, 0.0025)),
        ("fall 10 ms", "whole", (0.0075, 0.0125)),
        ("fall 30 ms, idle stages", "whole", (0.02, 0.045)),
        ("part-time power beside a whole counter", "whole", (0.0, 0.0025)),
        ("part-time counter", "looks", None),
        ("counter lags 0.5 s", "lags", None),
        ("power alone", None, None),
    ],
)
def test_it_shows_what_the_counter_sees_and_how_power_falls(
    profile: str, counter: str | None, settling_s: tuple[float, float] | None
) -> None:
    found = calibrated(profile)
    assert (found.counter, found.settling_s) == (counter, settling_s)


@pytest.mark.once
@pytest.mark.parametrize("constant_s", [0.0, 0.005, 0.008, 0.012])
def test_how_power_falls_is_told_though_ticks_after_a_load_are_blurred(constant_s: float) -> None:
    """The load ends a millisecond before it says so, the grid keeps its points to 2 ms, readings take 3."""
    clock = FakeClock(late_s=0.0005, seed=2)
    source = ProfiledSource(clock, Profile(settling_s=constant_s, jitter=0.02), 6)
    (device,), load = source.devices(), ProfiledLoad(source)
    held = HeldUp(source, load)
    power = source.probes()[1]
    found = calibrate(
        device, [Probe(device, "energy counter", True, held.look), power], clock, load, longest_s=0.5
    )
    assert found.settling_s is not None
    low_s, high_s = found.settling_s
    assert low_s <= constant_s <= high_s <= low_s + 0.0101
    assert (low_s > 0) == (constant_s > 0)
