"""Until a test is measured the plugin costs nothing: no heavy import, no thread, no device."""

import pytest
from measured_project import MeasuredProject

LOADED = """
import sys
import threading

def pytest_unconfigure():
    names = [
        name for name in sys.modules
        if name.split(".")[0] in ("pytest_whq", "pynvml", "tabulate", "jinja2", "numpy", "scipy", "torch")
    ]
    print("loaded:", *sorted(names))
    print("threads:", *(thread.name for thread in threading.enumerate() if "whq" in thread.name))
"""

ALWAYS = "loaded: pytest_whq pytest_whq.plugin " + " ".join(
    f"pytest_whq.plugin.{module}" for module in ("hookspecs", "items", "options")
)


@pytest.mark.parametrize(
    ("test", "arguments"),
    [
        ("def test_other(): pass", []),
        ("def test_other(): pass", ["--whq-skip", "--whq-disable"]),
        ("import pytest\n@pytest.mark.parametrize('number', [1])\ndef test_other(number): pass", ["-q"]),
    ],
)
def test_nothing_is_loaded_until_a_test_is_measured(
    project: MeasuredProject, test: str, arguments: list[str]
) -> None:
    project.pytester.makeconftest(LOADED)
    project.ini(whq_budget="true", whq_json="energy.json")
    project.tests(test)
    result = project.pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([ALWAYS, "threads:"], consecutive=True)
    result.stdout.no_fnmatch_line("*energy*")


def test_neither_the_driver_of_another_source_nor_the_pages_templates_are_loaded(
    project: MeasuredProject,
) -> None:
    project.conftest(LOADED)
    project.tests("def test_chat(whq, client): whq(client.chat, 'Say hi.')")
    result = project.run_apart("--whq-markdown=report.md")
    result.assert_outcomes(passed=1)
    (loaded,) = [line for line in result.outlines if line.startswith("loaded:")]
    assert "pytest_whq.plugin.session" in loaded.split()
    assert not {"pynvml", "jinja2", "numpy", "scipy", "torch"} & set(loaded.split())


def test_a_worker_of_xdist_loads_nothing_either(project: MeasuredProject) -> None:
    project.pytester.makeconftest(
        """
import pathlib
import sys

def pytest_runtest_teardown():
    names = sorted(name for name in sys.modules if name.startswith("pytest_whq"))
    pathlib.Path("loaded.txt").write_text(" ".join(["loaded:", *names]))
"""
    )
    project.tests("def test_other(): pass")
    project.pytester.runpytest_inprocess("-n1", "-W", "ignore").assert_outcomes(passed=1)
    assert (project.path / "loaded.txt").read_text() == ALWAYS
