"""Sessions on a clock and on sources of a test's own, and the project in which they run."""

import subprocess
import sys

import pytest

from pytest_whq import testing
from pytest_whq.measuring.clock import SystemClock, session_clock
from pytest_whq.sources import open_source
from pytest_whq.testing import FakeClock, MeasuredProject, ScriptedSource, sessions_measure

OF_A_PLUGIN = """
from contextlib import ExitStack

import pytest
from pytest_whq.model import Device
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

CLOCK = FakeClock()
RACK = Device(f"RACK-{__file__}", "Scripted rack")
SOURCE = ScriptedSource(CLOCK, watts=36.0, period_s=1e-6, device=RACK)

def pytest_configure(config):
    scripted = ExitStack()
    scripted.enter_context(sessions_measure(CLOCK, rack=lambda devices: SOURCE))
    config.add_cleanup(scripted.close)

@pytest.fixture
def wait():
    return CLOCK.sleep
"""

SETTINGS = {"whq_source": "rack", "asyncio_default_fixture_loop_scope": "function"}


def test_a_clock_and_sources_are_in_place_only_meanwhile() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock)
    with sessions_measure(clock, nvml=lambda devices: source):
        assert session_clock() is clock
        assert open_source("auto").source is source
        with sessions_measure(FakeClock()):
            assert session_clock() is not clock
            assert open_source("auto").source is source
        assert session_clock() is clock
    assert isinstance(session_clock(), SystemClock)


def test_a_session_ends_with_the_clock_that_was_there_before(measured_project: MeasuredProject) -> None:
    measured_project.ini(asyncio_default_fixture_loop_scope="function")
    measured_project.tests("def test_chat(whq, client): whq(client.chat, 'Say hi.')")
    measured_project.run().assert_outcomes(passed=1)
    assert isinstance(session_clock(), SystemClock)
    record = measured_project.records["test_chat"]
    assert record["energy_j"] == pytest.approx(5 * 360.0, rel=1e-6)
    assert (record["queries"], record["input_tokens"]) == (5, 500)


def test_a_project_measures_what_a_plugins_author_puts_there(pytester: pytest.Pytester) -> None:
    project = MeasuredProject(pytester, OF_A_PLUGIN, SETTINGS)
    project.tests("""
        def test_wait(whq, wait):
            with whq.measure() as window:
                wait(10.0)
                window.record({})
    """)
    project.run().assert_outcomes(passed=1)
    assert project.stored["rig"]["source"] == "rack"
    assert project.records["test_wait"]["energy_j"] == pytest.approx(360.0, rel=1e-6)


def test_the_door_needs_no_pytest_until_a_project_is_asked_for() -> None:
    script = """
import sys
sys.modules["pytest"] = None
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window
clock = FakeClock()
source = ScriptedSource(clock, watts=360.0, period_s=1e-6)
print(round(measured_window(source, clock, lambda: clock.sleep(1.0)).energy_j))
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (shown.stdout, shown.stderr) == ("360\n", "")


def test_every_name_of_the_door_is_there_and_no_other() -> None:
    assert [name for name in testing.__all__ if getattr(testing, name).__name__ != name] == []
    with pytest.raises(AttributeError, match=r"module 'pytest_whq\.testing' has no attribute 'Nothing'"):
        testing.Nothing  # noqa: B018
