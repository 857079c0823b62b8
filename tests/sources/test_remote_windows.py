"""Windows on exporters and on a Prometheus, of a noisy load whose edges lie anywhere between the looks."""

import math
from contextlib import closing
from random import Random

import pytest
from exporter import Exporter
from scraper import Scraper

from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.remote.dcgm import DcgmSource
from pytest_whq.sources.remote.prometheus import PrometheusSource
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window

pytestmark = pytest.mark.once

WINDOWS = 4


def error_of_a_window(kind: str, *, counter: bool, seconds: float, seed: int) -> tuple[float, float]:
    """How far the joules are from the truth, and two uncertainties, both as shares of the truth."""
    random = Random(seed)
    clock = FakeClock(1000.0 + random.random(), late_s=0.002, seed=seed)
    gpu = ScriptedSource(
        clock,
        100.0,
        period_s=1.0,
        phase_s=random.random(),
        counter=counter,
        averaging_s=1.0,
        noise=0.05,
        seed=seed,
    )
    name = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" if counter else "DCGM_FI_DEV_POWER_USAGE"
    exporter, scraper = (
        Exporter(clock, "node-1"),
        Scraper(clock, [(gpu, {"__name__": name, "UUID": "GPU-1"})]),
    )
    exporter.gpus = [gpu]
    clock.sleep(60.0 + random.random())
    with exporter.serve() if kind == "dcgm" else scraper.serve() as address:
        source: PowerSource
        if kind == "dcgm":
            source = DcgmSource(address, None, clock.now)
        else:
            source = PrometheusSource(address, None, None, clock.now)
        clock.sleep(random.random())
        with closing(source):
            edges_s = []

            def body() -> None:
                edges_s.append(clock.now())
                gpu.call(seconds + random.random(), 500.0)
                edges_s.append(clock.now())

            measurement = measured_window(source, clock, body)
    true_j = gpu.true_energy_j(*edges_s)
    assert measurement.energy_j is not None, measurement.reasons
    assert measurement.uncertainty_j is not None
    return measurement.energy_j / true_j - 1, 2 * measurement.uncertainty_j / true_j


@pytest.mark.parametrize("seconds", [15.0, 30.0])
@pytest.mark.parametrize("counter", [True, False], ids=["counter", "gauge"])
@pytest.mark.parametrize("kind", ["dcgm", "prometheus"])
def test_windows_are_as_near_to_the_truth_as_they_say(kind: str, counter: bool, seconds: float) -> None:
    found = [error_of_a_window(kind, counter=counter, seconds=seconds, seed=seed) for seed in range(WINDOWS)]
    assert math.sqrt(sum(error**2 for error, _ in found) / WINDOWS) < 0.002
    assert [error for error, bound in found if abs(error) > bound] == []
