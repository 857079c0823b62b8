"""The project of `pytest_whq.testing`, which measures a scripted GPU, with what our own tests need beside."""

import pytest

from pytest_whq.testing import project as door
from pytest_whq.testing.project import CONFTEST

REAL_TIME = """
import os
import time
import pytest
from pytest_whq.model import Device, DeviceState, Reading

class SteadySource:
    \"\"\"Draws 360 W; its counter moves with every reading.\"\"\"

    def devices(self):
        return (Device(f"GPU-steady-{os.getpid()}-{id(self)}", "Steady GPU"),)

    def read(self):
        now_s = time.monotonic()
        return (Reading(self.devices()[0].id, now_s, energy_j=360.0 * now_s),)

    def state(self):
        return (DeviceState(self.devices()[0].id),)

    def close(self):
        pass

def pytest_whq_power_sources():
    return {"scripted": SteadySource}
"""

INI = {**door.INI, "asyncio_default_fixture_loop_scope": "function"}


class MeasuredProject(door.MeasuredProject):
    """Its tests may be asynchronous."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        super().__init__(pytester, CONFTEST, INI)

    def use_real_time(self) -> None:
        """Measure a device that draws 360 W, by the real clock; there is no client."""
        self.pytester.makeconftest(REAL_TIME)


@pytest.fixture
def project(pytester: pytest.Pytester, written_anew: None) -> MeasuredProject:
    """A project with a scripted power source, a client and no tests yet."""
    return MeasuredProject(pytester)


@pytest.fixture(params=["option", "ini"])
def given(request: pytest.FixtureRequest, project: MeasuredProject) -> str:
    """How `run_with` gives its settings: as options or from the ini file."""
    how: str = request.param
    return how


def run_with(project: MeasuredProject, given: str, **settings: str | None) -> pytest.RunResult:
    """Run with settings such as ``whq_rounds="3"``, as options or from the ini file."""
    if given == "ini":
        project.ini(**settings)
        return project.run()
    flags = [
        f"--{name.replace('_', '-')}" + ("" if value == "true" else f"={value}")
        for name, value in settings.items()
    ]
    return project.run(*flags)
