"""The project of the README: its tests, on a scripted H200 whose calls always cost the same."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

CONFTEST = """
import random
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from pytest_whq.model import Device
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

CLOCK = FakeClock()
# An id of its own, or projects on one machine would wait for each other.
SOURCE = ScriptedSource(CLOCK, watts=118.0, device=Device(f"GPU-{__file__}", "NVIDIA H200", 700.0))

def pytest_configure(config):
    scripted = ExitStack()
    scripted.enter_context(sessions_measure(CLOCK, nvml=lambda devices: SOURCE))
    config.add_cleanup(scripted.close)

class Responses:
    def __init__(self):
        self._chance = random.Random(1)

    def create(self, *, model, input, max_output_tokens=40):
        tokens = self._chance.randint(max_output_tokens - 8, max_output_tokens)
        SOURCE.call(0.05 + 0.006 * tokens, self._chance.uniform(595, 645))
        usage = SimpleNamespace(input_tokens=len(input), output_tokens=tokens)
        return SimpleNamespace(object="response", output_text="Hi!", usage=usage)

@pytest.fixture
def client():
    return SimpleNamespace(responses=Responses())

class App:
    def __init__(self, create):
        self.create = create

    def answer(self, question):
        return self.create(model="gpt-oss", input=question)

@pytest.fixture
def app(client):
    return App(client.responses.create)
"""


def blocks(language: str, page: str = README) -> list[str]:
    """The fenced blocks of a page in ``language``."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(page: str = README) -> dict[str, str]:
    """The commands that a page's console blocks show, each with its output."""
    found = {}
    for block in blocks("console", page):
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = shown.partition("\n")
            found[command.partition("  # ")[0].rstrip()] = output.rstrip("\n")
    return found


class ReadmeProject:
    """The README's tests in ``tests/test_chat.py``, its budgets in ``pyproject.toml``."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        (budgets,) = blocks("toml")
        ini = '\n[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = "function"\n'
        pytester.makepyprojecttoml(budgets + ini)
        pytester.makeconftest(CONFTEST)
        pytester.mkdir("tests").joinpath("test_chat.py").write_text("\n\n".join(blocks("python")), "utf-8")

    def run(self, command: str) -> pytest.RunResult:
        """Run a ``pytest`` command of the README."""
        return self.pytester.runpytest_inprocess(*command.split()[1:])


@pytest.fixture
def readme_project(pytester: pytest.Pytester) -> ReadmeProject:
    """The project of the README."""
    return ReadmeProject(pytester)
