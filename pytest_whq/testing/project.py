"""A small pytest project whose tests are measured. The only file of this room that needs pytest."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CONFTEST = """
from contextlib import ExitStack

import pytest
from pytest_whq.model import Device
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

CLOCK = FakeClock()
# An id of its own, or projects on one machine would wait for each other.
BOARD = Device(f"GPU-{__file__}", "Scripted H100", 700.0)
SOURCE = ScriptedSource(CLOCK, watts=360.0, period_s=1e-6, device=BOARD)

def pytest_configure(config):
    scripted = ExitStack()
    scripted.enter_context(sessions_measure(CLOCK))
    config.add_cleanup(scripted.close)

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
"""A device that always draws 360 W, so that joules are exact wherever a window's edges are, and a ``client``
whose calls take a second, 0.1 Wh, for 100 input and 50 output tokens."""

INI = {
    "whq_source": "scripted",
    "whq_rounds": "5",
    # So short that one call is a round.
    "whq_max_seconds": "1",
    # What draws the same all the time would seem to do nothing.
    "whq_idle_ok": "true",
}
"""Settings with which a round is one call, of which there are five after one to warm up."""


class MeasuredProject:
    """A project in the folder of ``pytester``, whose runs leave their records in ``run.json``.

    As it is, it measures what `CONFTEST` scripts, with the settings of `INI`. A plugin's author gives the
    ``conftest`` that a user of the plugin would write, and ``settings`` that name its source.
    """

    def __init__(
        self, pytester: pytest.Pytester, conftest: str = CONFTEST, settings: Mapping[str, str] = INI
    ) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        self._settings = dict(settings)
        pytester.makeconftest(conftest)
        self.ini()

    def ini(self, **settings: str | None) -> None:
        """Set these ini settings beside those that the project has; None takes one away."""
        whole = self._settings | settings
        lines = [f"{name} = {value}" for name, value in whole.items() if value is not None]
        self.pytester.makefile(".ini", pytest="\n".join(["[pytest]", *lines]))

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
def written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no bytecode, so that a file that a test writes a second time counts."""
    # Bytecode is known by its source's size and second.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture
def measured_project(pytester: pytest.Pytester, written_anew: None) -> MeasuredProject:
    """A project with a scripted power source, a client and no tests yet."""
    return MeasuredProject(pytester)
