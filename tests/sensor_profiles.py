"""Forty kinds of sensors and boards, by name, and windows measured on them in virtual time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from profiled_board import Profile, ProfiledSource

from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import CalibratedBoard, Device
from pytest_whq.testing import FakeClock

_A100 = Profile(look_s=0.025, averaging_s=0.025)
"""Power that looks at 25 of each 100 ms, and a counter that is made of it."""

_H100 = Profile(averaging_s=0.025)
"""The same power beside a counter that sees everything."""

PROFILES = {
    "ideal": Profile(noise=0.0),
    "noise 1 %": Profile(),
    "noise 5 %": Profile(noise=0.05),
    "counter 20 ms": Profile(period_s=0.02, power_period_s=0.02, averaging_s=0.01),
    "counter 50 ms": Profile(period_s=0.05),
    "counter 200 ms": Profile(period_s=0.2),
    "counter 500 ms": Profile(period_s=0.5),
    "counter 1 s": Profile(period_s=1.0),
    "counter alone": Profile(power_period_s=None),
    "fall 10 ms": Profile(settling_s=0.01),
    "fall 30 ms": Profile(settling_s=0.03),
    "fall 60 ms": Profile(settling_s=0.06),
    "idle stages": Profile(stages=True),
    "fall 30 ms, idle stages": Profile(settling_s=0.03, stages=True),
    "fall 30 ms, idle stages, counter 500 ms": Profile(settling_s=0.03, stages=True, period_s=0.5),
    "bursts": Profile(load="bursts"),
    "bursts, part-time power": replace(_H100, load="bursts"),
    "prefill and decode": Profile(load="decode"),
    "prefill and decode, readings of 4 ms": Profile(load="decode", cost_s=0.004),
    "prefill and decode, eight boards": Profile(load="decode", cost_s=0.0005, devices=8),
    "prefill and decode, part-time power, fall 30 ms": replace(_H100, load="decode", settling_s=0.03),
    "jitter": Profile(jitter=0.2),
    "quanta of 1 J and 1 W": Profile(quantum_j=1.0, quantum_w=1.0),
    "readings of 7 ms": Profile(cost_s=0.007),
    "readings of 7 ms, eight boards": Profile(cost_s=0.007, devices=8),
    "part-time counter": _A100,
    "part-time counter, prefill and decode": replace(_A100, load="decode"),
    "part-time counter, bursts": replace(_A100, load="bursts"),
    "part-time counter, fall 30 ms, idle stages": replace(_A100, settling_s=0.03, stages=True),
    "part-time power beside a whole counter": _H100,
    "counter lags 0.1 s": Profile(lag_s=0.1),
    "counter lags 0.5 s": Profile(lag_s=0.5),
    "counter lags 2 s": Profile(lag_s=2.0),
    "counter smears 0.13 s": Profile(smear_s=0.13),
    "counter lags 0.5 s, average power": Profile(lag_s=0.5, averaging_s=1.0),
    "power alone": Profile(period_s=None),
    "power alone, part-time, prefill and decode": Profile(period_s=None, averaging_s=0.025, load="decode"),
    "power alone, new each 500 ms": Profile(period_s=None, power_period_s=0.5, load="decode"),
    "power alone, new each second, noisy": Profile(period_s=None, power_period_s=1.0, sensor_noise=0.02),
    "average power alone": Profile(period_s=None, averaging_s=1.0, load="decode"),
}
DURATIONS_S = (0.03, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One window: what was drawn in truth, and what was made of it; ``refused`` is the reason, if any."""

    profile: str
    duration_s: float
    true_j: float
    energy_j: float | None
    uncertainty_j: float | None
    refused: str | None
    imprecise: bool = False
    fall_s: float | None = None

    @property
    def error(self) -> float:
        """The energy over the truth, less one."""
        assert self.energy_j is not None
        return self.energy_j / self.true_j - 1

    @property
    def covered(self) -> bool:
        """Whether the truth is within two stated uncertainties."""
        assert self.energy_j is not None
        assert self.uncertainty_j is not None
        return abs(self.energy_j - self.true_j) <= 2 * self.uncertainty_j


def opened(clock: FakeClock, sampler: Sampler, seed: int, random: Random) -> Meter:
    """A meter that is open, at whatever phase of the sensor's refresh the ``seed`` leads to."""
    for _ in range(seed % 40):
        sampler.enter()
        sampler.leave()
    meter = Meter(clock, sampler)
    wait(clock, meter.open())
    clock.sleep(random.uniform(0.0, 0.002))
    return meter


def measured(
    name: str,
    duration_s: float,
    seed: int,
    known: Callable[[Device], CalibratedBoard] | None = None,
    fall_s: float | None = None,
) -> Outcome:
    """A window of its own on boards of that profile, which idled before, or were busy until a moment ago.

    ``known`` is what a calibration has shown of each; their power falls over ``fall_s``, None where that is
    the profile's own.
    """
    random, clock = Random(f"{name} {duration_s} {seed}"), FakeClock(late_s=0.0005, seed=seed)
    source = ProfiledSource(clock, _falling(PROFILES[name], fall_s), random.getrandbits(30))
    clock.sleep(random.uniform(0.0, 1.0))
    if random.random() < 0.25:
        _work(clock, source, random.uniform(0.2, 1.0), random)
        clock.sleep(random.uniform(0.0, 3.0))
    sampler = Sampler(source, clock, known=[] if known is None else [*map(known, source.devices())])
    meter = opened(clock, sampler, seed, random)
    meter.begin()
    _work(clock, source, duration_s, random)
    meter.end()
    return replace(_outcome(name, duration_s, clock, source, meter), fall_s=fall_s)


def rounds_measured(
    name: str, duration_s: float, pauses_s: Sequence[float], seed: int, fall_s: float | None = None
) -> Outcome:
    """Rounds of ever another power on boards of that profile, with these pauses between them."""
    random, clock = Random(f"{name} {duration_s} {seed}"), FakeClock(late_s=0.0005, seed=seed)
    source = ProfiledSource(clock, _falling(PROFILES[name], fall_s), random.getrandbits(30))
    clock.sleep(random.uniform(0.0, 1.0))
    meter = opened(clock, Sampler(source, clock), seed, random)
    for pause_s in (*pauses_s, 0.0):
        meter.begin()
        source.set_watts(random.uniform(200.0, 600.0))
        clock.sleep(duration_s)
        source.rest()
        meter.end()
        clock.sleep(pause_s)
    return _outcome(name, duration_s, clock, source, meter)


def _falling(profile: Profile, fall_s: float | None) -> Profile:
    return profile if fall_s is None else replace(profile, settling_s=fall_s)


def _outcome(name: str, duration_s: float, clock: FakeClock, source: ProfiledSource, meter: Meter) -> Outcome:
    wait(clock, meter.close())
    found = meter.measurement(precision=0.02)
    why = found.why_invalid("wh_total")
    return Outcome(
        name,
        duration_s,
        sum(source.true_energy_j(span.start_s, span.end_s) for span in meter.spans),
        found.energy_j if why is None else None,
        found.uncertainty_j,
        None if why is None else why.code,
        any(reason.code == "imprecise" for reason in found.reasons),
    )


def _work(clock: FakeClock, source: ProfiledSource, seconds: float, random: Random) -> None:
    end_s = clock.now() + seconds
    for watts, lasts_s in _LOADS[source.profile.load](random):
        if clock.now() >= end_s:
            break
        source.set_watts(watts)
        clock.sleep(min(lasts_s, end_s - clock.now()))
    source.rest()


def _steady(random: Random) -> Iterator[tuple[float, float]]:
    while True:
        yield random.uniform(440.0, 460.0), 1e9


def _decode(random: Random) -> Iterator[tuple[float, float]]:
    while True:
        yield 600.0, random.uniform(0.04, 0.08)
        yield 280.0, random.uniform(0.15, 0.4)
        yield 120.0, 0.005


def _bursts(random: Random) -> Iterator[tuple[float, float]]:
    while True:
        yield 500.0, 0.03
        yield 120.0, random.uniform(0.03, 0.15)


_LOADS = {"steady": _steady, "decode": _decode, "bursts": _bursts}
