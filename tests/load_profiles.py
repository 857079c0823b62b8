"""Loads with a ramp-up and a tail on boards of a profile, their windows measured in virtual time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from profiled_board import IDLE_W, Profile, ProfiledSource
from sensor_profiles import opened

from pytest_whq.joules.spans import Span
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.testing import FakeClock

PROFILES = {
    **{
        f"counter {period_ms} ms, fall {fall_ms} ms": Profile(
            period_s=period_ms / 1000, settling_s=fall_ms / 1000
        )
        for period_ms in (20, 100, 500)
        for fall_ms in (0, 10, 30)
    },
    "jitter": Profile(jitter=0.2),
    "readings of 7 ms": Profile(cost_s=0.007),
    "part-time power": Profile(averaging_s=0.025, settling_s=0.01),
    "part-time counter": Profile(look_s=0.025, averaging_s=0.025, settling_s=0.01),
    "power alone": Profile(period_s=None),
    "power alone, new each 20 ms": Profile(
        period_s=None, power_period_s=0.02, averaging_s=0.02, settling_s=0.01
    ),
    "power alone, part-time": Profile(period_s=None, averaging_s=0.025),
}

LEVELS = (0.2, 1 / 3, 0.5, 0.75, 1.0, 1.0)
"""Shares of the window's power above rest, of ramp-ups and tails."""

NO_RAMP_UP = 0.15
"""So many loads begin all of their queries at once."""


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """The window of a load, and what was drawn beside it; ``refused`` is the reason, if any."""

    true_j: float
    energy_j: float | None
    uncertainty_j: float
    beside_j: tuple[float | None, ...]
    true_beside_j: tuple[float, ...]
    refused: str | None

    @property
    def covered(self) -> bool:
        """Whether the truth is within two stated uncertainties."""
        assert self.energy_j is not None
        return abs(self.energy_j - self.true_j) <= 2 * self.uncertainty_j

    @property
    def error(self) -> float:
        """How far the energy is from the truth, as a share of it."""
        assert self.energy_j is not None
        return abs(self.energy_j / self.true_j - 1)

    @property
    def errors_beside_j(self) -> list[float]:
        """How far the joules of ramp-up and tail are from the truth, where they are told."""
        pairs = zip(self.beside_j, self.true_beside_j, strict=True)
        return [abs(found_j - true_j) for found_j, true_j in pairs if found_j is not None]

    @property
    def stated(self) -> float:
        """Two stated uncertainties as a share of the energy."""
        assert self.energy_j is not None
        return 2 * self.uncertainty_j / self.energy_j


def measured_load(name: str, seed: int, work: str = "steady") -> LoadOutcome:
    """The window, of 1 to 5 s, of a load whose ``work`` is one of `WORK`, on a board that rested before."""
    profile, random = PROFILES[name], Random(f"{name} {seed} {work}")
    clock = FakeClock(late_s=0.0005, seed=seed)
    source = ProfiledSource(clock, profile, random.getrandbits(30))
    clock.sleep(random.uniform(0.0, 1.0))
    sampler = Sampler(source, clock)
    meter = opened(clock, sampler, seed, random)
    lasts_s = [math.exp(random.uniform(math.log(0.02), 0.0)) for _ in range(2)]
    lasts_s[0] = 0.0005 if random.random() < NO_RAMP_UP else lasts_s[0]
    start_s = clock.now()
    WORK[work](source, lasts_s[0], random.choice(LEVELS), random)
    meter.begin()
    WORK[work](source, random.uniform(1.0, 5.0), 1.0, random)
    meter.end()
    WORK[work](source, lasts_s[1], random.choice(LEVELS), random)
    stop_s = clock.now()
    source.rest()
    (window,) = meter.spans
    meter.beside = (Span(start_s, window.start_s), Span(window.end_s, stop_s))
    wait(clock, meter.close())
    found = meter.measurement(precision=0.02)
    why = found.why_invalid("wh_total")
    return LoadOutcome(
        source.true_energy_j(window.start_s, window.end_s),
        found.energy_j if why is None else None,
        found.uncertainty_j or 0.0,
        meter.beside_j or (None, None),
        tuple(source.true_energy_j(span.start_s, span.end_s) for span in meter.beside),
        None if why is None else why.code,
    )


def _steady(source: ProfiledSource, seconds: float, level: float, random: Random) -> None:
    source.set_watts(IDLE_W + 380.0 * level)
    source.clock.sleep(seconds)


def _decode(source: ProfiledSource, seconds: float, level: float, random: Random) -> None:
    _in_turn(source, seconds, level, lambda: [(600.0, (0.04, 0.08)), (280.0, (0.15, 0.4))], random)


def _uneven(source: ProfiledSource, seconds: float, level: float, random: Random) -> None:
    _in_turn(source, seconds, level, lambda: [(random.uniform(330.0, 570.0), (0.02, 0.2))], random)


def _in_turn(
    source: ProfiledSource,
    seconds: float,
    level: float,
    turns: Callable[[], list[tuple[float, tuple[float, float]]]],
    random: Random,
) -> None:
    end_s = source.clock.now() + seconds
    while source.clock.now() < end_s:
        for watts, (least_s, most_s) in turns():
            source.set_watts(IDLE_W + (watts - IDLE_W) * level)
            lasts_s = random.uniform(least_s, most_s)
            source.clock.sleep(max(0.0, min(lasts_s, end_s - source.clock.now())))


WORK = {"steady": _steady, "prefill and decode": _decode, "uneven": _uneven}
