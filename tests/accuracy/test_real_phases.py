"""Prefill and decode told apart in real time, on the simulated library: against the joules drawn in each."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from measured_project import MeasuredProject
from simulated_nvml import SimulatedGpu, SimulatedNvml

TESTS = """
import engine, pytest

@pytest.mark.whq(rounds=5, min_seconds=5, max_seconds=10)
def test_stream(whq):
    assert len(whq(engine.stream)) == 20
"""


class Engine:
    """Draws 600 W while it reads and 350 W while it writes; ``true_j`` is what both have taken."""

    def __init__(self, gpu: SimulatedGpu) -> None:
        self.gpu = gpu
        self.true_j = [0.0, 0.0]

    def stream(self) -> Iterator[dict[str, Any]]:
        self.draw(0, 0.12, 600.0)
        for number in range(20):
            usage = {"prompt_tokens": 100, "completion_tokens": 20} if number == 19 else None
            yield {
                "object": "chat.completion.chunk",
                "choices": [{"delta": {"content": "x"}}],
                "usage": usage,
            }
            if number < 19:
                self.draw(1, 0.03, 350.0)

    def draw(self, phase: int, seconds: float, watts: float) -> None:
        began_s = time.monotonic()
        with self.gpu.busy(watts):
            time.sleep(seconds)
        self.true_j[phase] += self.gpu.true_energy_j(began_s, time.monotonic())


def test_phases_of_streams_are_those_that_were_drawn(
    simulated_nvml: SimulatedNvml, project: MeasuredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(simulated_nvml.gpu(0).configure(noise=0.02))
    monkeypatch.setitem(sys.modules, "engine", engine)
    (project.path / "conftest.py").unlink()
    project.ini(whq_source="nvml", whq_warmup="0", whq_max_seconds=None, whq_rounds=None)
    project.tests(TESTS)
    project.run().assert_outcomes(passed=1)
    record = project.records["test_stream"]
    phases = record["phases"]
    for phase, true_j in zip((phases["prefill"], phases["decode"]), engine.true_j, strict=True):
        allowed_j = max(0.02 * true_j, 3 * phase["uncertainty_j"])
        assert phase["energy_j"] == pytest.approx(true_j, abs=allowed_j)
        assert phase["uncertainty_j"] <= 0.1 * true_j
