"""The fault bench: whatever goes wrong around a measured session, its figures are right or named.

Each row of the table is one fault, run against the same session of three tests, and judged by one rule.
"""

import locale
import re
import time
from collections.abc import Iterator
from typing import Any

import measured_project
import pytest
import simulated_project
from simulated_nvml import SimulatedNvml

from faults.fault import AFTER, BEFORE, IT, Fault
from faults.table import FAULTS
from pytest_whq.model import REASONS
from pytest_whq.testing import MeasuredProject
from pytest_whq.testing import project as door

# Faults end tracing, too, and with it the coverage of what the same process tests after them.
pytestmark = [pytest.mark.once, pytest.mark.untraced]


@pytest.fixture(autouse=True)
def the_locale_stays() -> Iterator[None]:
    """A fault may change the locale of this process, and with it how others' output is read."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


LONGEST_S = 55.0
"""On a quiet machine none takes 15 s; what hangs takes a minute."""

SESSION = """
from conftest import *

def {before}(whq, call):
    with whq.measure() as window:
        window.record(call())

def {it}(whq, call, gpu, monkeypatch):
    with whq.measure() as window:
        {body}
        window.record(call())

def {after}(whq, call):
    with whq.measure() as window:
        window.record(call())
"""

COMMON = """
import pytest, threading, time
from pytest_whq.errors import SourceError

HUNG = threading.Event()

class Hostile(Exception):
    def __repr__(self):
        raise RuntimeError("no repr")
    __str__ = __repr__
"""

WORLDS = {
    "scripted": (
        door.CONFTEST,
        """
@pytest.fixture
def call(client):
    return lambda: client.chat("x")

@pytest.fixture
def gpu():
    return None
""",
        measured_project.INI,
    ),
    "steady": (
        measured_project.REAL_TIME,
        """
@pytest.fixture
def call():
    def call():
        time.sleep(0.05)
        return {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
    return call

@pytest.fixture
def gpu():
    return None

def pytest_unconfigure(config):
    HUNG.set()
""",
        {**measured_project.INI, "whq_driver_timeout": "0.3"},
    ),
    "nvml": (
        simulated_project.CONFTEST,
        "@pytest.fixture\ndef call(chat):\n    return lambda: chat(0.15)\n",
        {**simulated_project.INI, "whq_driver_timeout": "0.3", "whq_precision": "50%"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_leaves_figures_that_are_right_or_named(
    fault: Fault, pytester: pytest.Pytester, simulated_nvml: SimulatedNvml, written_anew: None
) -> None:
    conftest, fixtures, ini = WORLDS[fault.world]
    project = MeasuredProject(pytester, "\n".join([conftest, COMMON, fixtures, fault.conftest]), ini)
    project.tests(SESSION.format(before=BEFORE, it=IT, after=AFTER, body=fault.body))
    (project.path / "taken").write_text("")
    (project.path / "loop").symlink_to("loop")
    began_s = time.monotonic()
    result = (project.run_apart if fault.apart else project.run)(*fault.options)
    assert time.monotonic() - began_s < LONGEST_S
    shown = f"{result.stdout}\n{result.stderr}"
    assert "INTERNALERROR" not in shown
    assert not re.search(r"pytest_whq/[\w/]+\.py:\d+", shown), shown
    assert project.records.keys() >= set(fault.kept)
    spans = simulated_project.spans_in(project.path)
    for test, record in project.records.items():
        truth_j = 360.0 * (record["duration_s"] or 0.0)
        if fault.world == "nvml":
            truth_j = simulated_project.true_j(simulated_nvml, spans.get(test, ()))
        hold_to_the_rule(record, truth_j)


def hold_to_the_rule(record: dict[str, Any], truth_j: float) -> None:
    """Right and valid, or invalid and named."""
    assert all(record["why"][code].strip() for code in record["reasons"])
    if not record["valid"]:
        assert any(REASONS[code] for code in record["reasons"])
        return
    assert record["energy_j"] is not None
    assert record["energy_j"] == simulated_project.within(truth_j, 0.01, record["uncertainty_j"])
