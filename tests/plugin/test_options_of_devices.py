"""How long devices and drivers are waited for, and whether devices may idle: by option and by ini setting."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from measured_project import MeasuredProject, run_with

ONE_WINDOW = """
def test_chat(whq, client):
    with whq.measure() as window:
        window.record(client.chat("Say hi.", 3.0))
"""

HOLD = """
import sys
from pytest_whq.measuring.held_devices import HELD
HELD.take(sys.argv[1])
print("held", flush=True)
input()
"""

HANGING = """
import threading

HUNG = threading.Event()

def pytest_whq_power_sources():
    return {"scripted": lambda: HUNG.wait(30)}

def pytest_unconfigure():
    HUNG.set()
"""


@contextmanager
def held(device: str) -> Iterator[None]:
    """Another process measures on the device meanwhile."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, device], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("\n")


def why(project: MeasuredProject, code: str) -> str:
    record = project.records["test_chat"]
    assert record["reasons"] == [code]
    sentence: str = record["why"][code]
    return sentence


def test_a_device_that_others_measure_on_is_waited_for_so_long(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_WINDOW)
    with held(f"GPU-{project.path / 'conftest.py'}"):
        run_with(project, given, whq_wait="0.5")
    assert " and did not let go of it within 500 ms. " in why(project, "device_busy")


def test_a_driver_may_take_so_long_to_open(project: MeasuredProject, given: str) -> None:
    project.conftest(HANGING)
    project.tests(ONE_WINDOW)
    run_with(project, given, whq_driver_timeout="0.2")
    assert why(project, "source_error").startswith("The power source scripted did not open within 200 ms: ")


@pytest.mark.parametrize("idle_ok", ["true", "false"])
def test_devices_may_do_nothing_where_that_is_said(
    project: MeasuredProject, given: str, idle_ok: str
) -> None:
    project.ini(whq_idle_ok=None)
    project.tests(ONE_WINDOW)
    if idle_ok == "true":
        run_with(project, given, whq_idle_ok="true")
    else:
        project.run()
    assert project.records["test_chat"]["reasons"] == ([] if idle_ok == "true" else ["device_idle"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"whq_wait": "-1"}, "must be a number of seconds of at least 0, not '-1'."),
        ({"whq_driver_timeout": "0"}, "must be a number of seconds above 0, not '0'."),
    ],
)
def test_what_is_no_time_is_refused(
    project: MeasuredProject, given: str, settings: dict[str, str], sentence: str
) -> None:
    project.tests(ONE_WINDOW)
    result = run_with(project, given, **settings)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{sentence}"])
