"""A pytest project that measures a scripted GPU, on a clock that only its calls and waits move."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Stays imported, so that each project in this process patches and uses one and the same module.
import pytest_whq.plugin.instruments  # noqa: F401

CONFTEST = """
import pytest
from pytest_whq.model import Device
from pytest_whq.plugin import instruments
from pytest_whq.testing import FakeClock, ScriptedSource

CLOCK = FakeClock()
# An id of its own, or projects on one machine would wait for each other.
BOARD = Device(f"GPU-{__file__}", "Scripted H100", 700.0)
SOURCE = ScriptedSource(CLOCK, watts=360.0, period_s=1e-6, device=BOARD)

def pytest_configure(config):
    patch = pytest.MonkeyPatch()
    patch.setattr(instruments, "SystemClock", lambda: CLOCK)
    config.add_cleanup(patch.undo)

def pytest_whq_power_sources():
    return {"scripted": lambda: SOURCE}

class Client:
    calls = 0

    def chat(self, prompt, seconds=1.0):
        self.calls += 1
        CLOCK.sleep(seconds)
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        return {"object": "chat.completion", "choices": [], "echo": prompt, "usage": usage}

    async def achat(self, prompt, seconds=1.0):
        return self.chat(prompt, seconds)

    def fail(self, prompt):
        CLOCK.sleep(1.0)
        raise ConnectionError("refused")

@pytest.fixture
def client():
    return Client()
"""

REAL_TIME = """
import time
import pytest
from pytest_whq.model import Device, DeviceState, Reading

class SteadySource:
    \"\"\"Draws 360 W; its counter moves with every reading.\"\"\"

    def devices(self):
        return (Device(f"GPU-steady-{id(self)}", "Steady GPU"),)

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

INI = {
    "whq_source": "scripted",
    "whq_rounds": "5",
    # So short that one call is a round.
    "whq_max_seconds": "1",
    "asyncio_default_fixture_loop_scope": "function",
}


class MeasuredProject:
    """Its device always draws 360 W, so that joules are exact wherever a window's edges are.

    A call of its client takes a second, 0.1 Wh, for 100 input and 50 output tokens, and a round is one
    call, of which there are five after one to warm up. Runs leave their records in ``run.json``.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        pytester.makeconftest(CONFTEST)
        self.ini()

    def ini(self, **settings: str | None) -> None:
        """Set these ini settings beside those that the project has; None takes one away."""
        lines = [f"{name} = {value}" for name, value in (INI | settings).items() if value is not None]
        self.pytester.makefile(".ini", pytest="\n".join(["[pytest]", *lines]))

    def use_real_time(self) -> None:
        """Measure a device that draws 360 W, by the real clock; there is no client."""
        self.pytester.makeconftest(REAL_TIME)

    def conftest(self, text: str) -> None:
        """Add ``text`` to the conftest file."""
        with (self.path / "conftest.py").open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")

    def tests(self, text: str) -> None:
        """Write the test file ``test_it.py``."""
        self.pytester.makepyfile(test_it=text)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess("--whq-json=run.json", *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess("--whq-json=run.json", *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pytest in a process group of its own, which may be interrupted; its output is piped."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "--whq-json=run.json", *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def stored(self) -> Any:
        """The run file as it was written."""
        return json.loads((self.path / "run.json").read_text("utf-8"))

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """The records of the run file, by the name of their test."""
        return {record["test"].removeprefix("test_it.py::"): record for record in self.stored["records"]}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> MeasuredProject:
    """A project with a scripted power source, a client and no tests yet."""
    # Bytecode is known by its source's size and second: a file written anew within it would not count.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
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
