"""What calibration shows of boards of the profiles: what their counters see, and how fast power falls."""

import pytest
from profiled_board import ProfiledSource
from sensor_profiles import PROFILES

from pytest_whq.calibrating.calibration import Calibration, calibrate
from pytest_whq.testing import FakeClock


class ProfiledLoad:
    """Lets a board draw 450 W, or rest."""

    name = "profiled"

    def __init__(self, source: ProfiledSource) -> None:
        self._source = source

    def switch(self, *, on: bool) -> None:
        self._source.set_watts(450.0) if on else self._source.rest()


def calibrated(profile: str) -> Calibration:
    clock = FakeClock(late_s=0.0005, seed=1)
    source = ProfiledSource(clock, PROFILES[profile], 5)
    (device,) = source.devices()
    return calibrate(device, source.probes(), clock, ProfiledLoad(source), longest_s=0.5)


@pytest.mark.once
@pytest.mark.parametrize(
    ("profile", "counter", "settling_s"),
    [
        ("ideal", "whole", (0.0, 0.005)),
        ("fall 10 ms", "whole", (0.005, 0.015)),
        ("fall 30 ms, idle stages", "whole", (0.02, 0.045)),
        ("part-time power beside a whole counter", "whole", (0.0, 0.005)),
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
