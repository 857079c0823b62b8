"""A driver that hangs for a minute: Ctrl-C ends the session at once, and without it ten seconds do."""

import re
import signal
import time

import pytest
from patience import PATIENT_S
from simulated_project import CONFTEST, SimulatedProject

pytestmark = pytest.mark.once

HANGING = """
import pynvml, types

HANGING_TEST = types.SimpleNamespace(call=int)

def fault_hangs(*arguments):
    (config_path / "hangs").touch()
    time.sleep(60)
    raise pynvml.NVMLError(999)

@pytest.fixture(autouse=True, scope="session")
def hanging(request):
    global config_path
    config_path = request.config.rootpath
    {function} = fault_hangs
"""
TEST = """
import conftest
def test_it(whq, chat):
    with whq.measure() as window:
        conftest.HANGING_TEST.call()
        window.record(chat())
"""


def seconds_until_interrupted(project: SimulatedProject, function: str) -> float:
    """From Ctrl-C to the end of a session in which ``function`` hangs."""
    project.pytester.makeconftest(CONFTEST + HANGING.format(function=function))
    hangs = project.path / "hangs"
    with project.start() as session:
        while not hangs.exists():
            time.sleep(0.01)
        hangs.unlink()
        time.sleep(0.2)
        interrupted_s = time.monotonic()
        session.send_signal(signal.SIGINT)
        session.communicate(timeout=PATIENT_S)
        assert session.returncode == pytest.ExitCode.INTERRUPTED
    return time.monotonic() - interrupted_s


@pytest.mark.parametrize("function", ["pynvml.nvmlInit", "pynvml.nvmlDeviceGetTemperatureV"])
def test_an_interrupt_acts_as_soon_as_where_no_driver_hangs(
    simulated_project: SimulatedProject, function: str
) -> None:
    simulated_project.tests(TEST)
    # Python's own end takes its time on a busy machine: that of a test that hangs by itself is the measure.
    usual_s = seconds_until_interrupted(simulated_project, "HANGING_TEST.call")
    assert seconds_until_interrupted(simulated_project, function) < usual_s + 5.0


def test_a_session_is_held_up_for_ten_seconds_at_most(simulated_project: SimulatedProject) -> None:
    simulated_project.conftest(HANGING.format(function="pynvml.nvmlInit"))
    simulated_project.tests(TEST + TEST.replace("test_it", "test_again"))
    began_s = time.monotonic()
    result = simulated_project.run_apart()
    result.assert_outcomes(passed=2)
    # What hangs still does when the process ends, and does not keep it.
    assert time.monotonic() - began_s < 50.0
    (seconds,) = re.findall(r"passed in ([\d.]+)s", str(result.stdout))
    assert 10.0 <= float(seconds) < 20.0
    for record in simulated_project.records.values():
        assert record["reasons"] == ["source_error"]
        assert record["why"]["source_error"] == (
            "The power source nvml did not open within 10.0 s: its driver may hang. "
            "See the system's log, or let it take longer with --whq-driver-timeout."
        )
