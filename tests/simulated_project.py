"""A pytest project that measures simulated GPUs through NVML, in real time."""

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from simulated_nvml import SimulatedNvml

from pytest_whq.testing import MeasuredProject

CONFTEST = """
import json
import os
import time

import pytest
from pytest_whq.measuring.meter import Meter
from simulated_nvml import SimulatedNvml

NVML = SimulatedNvml.attach()

def pytest_configure(config):
    path = config.rootpath / "spans.jsonl"
    end = Meter.end

    def end_and_note(meter):
        was_open = meter.is_open
        end(meter)
        if was_open:
            test = os.environ["PYTEST_CURRENT_TEST"].split(" ")[0]
            with path.open("a") as file:
                file.write(json.dumps([test, meter.spans[-1].start_s, meter.spans[-1].end_s]) + "\\n")

    patch = pytest.MonkeyPatch()
    patch.setattr(Meter, "end", end_and_note)
    config.add_cleanup(patch.undo)

@pytest.fixture
def gpu():
    return NVML.gpu(0)

@pytest.fixture
def chat(gpu):
    def chat(seconds=0.3, watts=450.0):
        with gpu.busy(watts):
            time.sleep(seconds)
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        return {"object": "chat.completion", "choices": [], "usage": usage}
    return chat
"""

INI = {
    "whq_source": "nvml",
    "whq_precision": "20%",
    "asyncio_default_fixture_loop_scope": "function",
}


Spans = dict[str, list[tuple[float, float]]]


def spans_in(folder: Path) -> Spans:
    """What a project with `CONFTEST` has left in its ``folder``; nothing where no span has begun."""
    found: Spans = {}
    path = folder / "spans.jsonl"
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        test, start_s, end_s = json.loads(line)
        found.setdefault(test.removeprefix("test_it.py::"), []).append((start_s, end_s))
    return found


def true_j(nvml: SimulatedNvml, spans: Iterable[tuple[float, float]]) -> float:
    """Joules that the GPUs truly drew in ``spans``."""
    return sum(gpu.true_energy_j(*span) for span in spans for gpu in nvml.gpus)


class SimulatedProject(MeasuredProject):
    """Its ``chat`` keeps the simulated GPU busy at 450 W, for 100 input and 50 output tokens.

    Runs leave the spans of each test's windows in ``spans.jsonl``.
    """

    def __init__(self, pytester: pytest.Pytester, nvml: SimulatedNvml) -> None:
        super().__init__(pytester, CONFTEST, INI)
        self.nvml = nvml

    def tests(self, text: str) -> None:
        """Write the test file ``test_it.py``, which may use pytest and time."""
        super().tests(f"import pytest, time\n{textwrap.dedent(text)}")

    @property
    def spans(self) -> Spans:
        """Start and end of every span, in seconds of `time.monotonic`, by the name of the test."""
        return spans_in(self.path)

    def true_j(self, test: str) -> float:
        """Joules that the GPUs truly drew in the spans of ``test``."""
        return true_j(self.nvml, self.spans[test])


def within(true_j: float, ratio: float, uncertainty_j: float) -> Any:
    """What joules are right: ``ratio`` off the truth, and what the machine's own noise explains.

    A machine that holds the sampler up blurs the edges, and ``uncertainty_j`` says by how much.
    """
    return pytest.approx(true_j, abs=ratio * true_j + 3 * uncertainty_j)


@pytest.fixture
def simulated_project(pytester: pytest.Pytester, simulated_nvml: SimulatedNvml) -> SimulatedProject:
    """A project with one simulated GPU and no tests yet."""
    return SimulatedProject(pytester, simulated_nvml)
