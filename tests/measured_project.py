"""A pytest project that measures a scripted GPU, on a clock that only its calls and waits move."""

import json
from pathlib import Path
from typing import Any

import pytest

# Stays imported, so that each project in this process patches and uses one and the same module.
import pytest_whq.plugin.instruments

CONFTEST = """
import pytest
from pytest_whq.model import Device
from pytest_whq.plugin import instruments
from pytest_whq.testing import FakeClock, ScriptedSource

CLOCK = FakeClock()
SOURCE = ScriptedSource(CLOCK, watts=100.0, period_s=1e-6, device=Device("GPU-1", "Scripted H100", 700.0))

def pytest_configure(config):
    patch = pytest.MonkeyPatch()
    patch.setattr(instruments, "SystemClock", lambda: CLOCK)
    config.add_cleanup(patch.undo)

def pytest_whq_power_sources():
    return {"scripted": lambda: SOURCE}

class Client:
    calls = 0

    def chat(self, prompt, watts=360.0, seconds=1.0):
        self.calls += 1
        SOURCE.call(seconds, watts)
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        return {"object": "chat.completion", "choices": [], "echo": prompt, "usage": usage}

    async def achat(self, prompt, watts=360.0, seconds=1.0):
        return self.chat(prompt, watts, seconds)

    def fail(self, prompt):
        SOURCE.call(1.0, 360.0)
        raise ConnectionError("refused")

@pytest.fixture
def client():
    return Client()
"""

INI = """
[pytest]
whq_source = scripted
asyncio_default_fixture_loop_scope = function
"""


class MeasuredProject:
    """Its client draws 360 W for a second with each call: 0.1 Wh, for 100 input and 50 output tokens.

    Runs leave their records in ``run.json``.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        pytester.makeconftest(CONFTEST)
        self.ini()

    def ini(self, *lines: str) -> None:
        """Set these ini settings beside those that the project needs."""
        self.pytester.makefile(".ini", pytest=INI + "\n".join(lines))

    def conftest(self, text: str) -> None:
        """Add ``text`` to the conftest file."""
        with (self.path / "conftest.py").open("a", encoding="utf-8") as file:
            file.write(text)

    def tests(self, text: str) -> None:
        """Write the test file ``test_it.py``."""
        self.pytester.makepyfile(test_it=text)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess("--whq-json=run.json", *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess("--whq-json=run.json", *arguments)

    @property
    def stored(self) -> Any:
        """The run file as it was written."""
        return json.loads((self.path / "run.json").read_text("utf-8"))

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """The records of the run file, by the name of their test."""
        return {record["test"].removeprefix("test_it.py::"): record for record in self.stored["records"]}


@pytest.fixture
def project(pytester: pytest.Pytester) -> MeasuredProject:
    """A project with a scripted power source, a client and no tests yet."""
    return MeasuredProject(pytester)
