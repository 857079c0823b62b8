import re
from pathlib import Path

import pytest
from measured_project import MeasuredProject

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""

PAGE = Path(__file__).parents[2].joinpath("docs", "hooks.md").read_text("utf-8")
DOCUMENTED = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_conftest_of_the_documentation_does_what_it_says(project: MeasuredProject) -> None:
    conftest, _ = DOCUMENTED
    hwmon = project.pytester.mkdir("hwmon")
    project.pytester.makeconftest(conftest.replace("/sys/class/hwmon", str(hwmon)))
    project.tests(
        """
        import os
        import threading
        import time
        from pathlib import Path
        import pytest

        @pytest.fixture(autouse=True, scope="module")
        def board():
            folder = Path("hwmon/hwmon3")
            folder.mkdir()
            folder.joinpath("name").write_text("xe\\n")
            stopped = threading.Event()

            def count():
                folder.joinpath("next").write_text(f"{time.monotonic() * 360e6:.0f}\\n")
                os.replace(folder / "next", folder / "energy1_input")

            def count_on():
                while not stopped.wait(0.005):
                    count()

            count()
            thread = threading.Thread(target=count_on)
            thread.start()
            yield
            stopped.set()
            thread.join()

        def test_chat(whq):
            with whq.measure() as window:
                time.sleep(0.5)
                window.record({"prompt": [1, 2, 3], "generated": [4, 5]})
            assert whq.measurement.tokens.input_tokens == 3
            assert whq.measurement.tokens.output_tokens == 2
            # The thread that stands for the board is held up where the machine is busy.
            assert whq.measurement.average_power_w == pytest.approx(360.0, rel=0.2)
        """
    )
    result = project.run("--whq-source=arc")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 measured · Intel Arc (xe) · arc counter · gross, GPU board"])
    (line,) = (project.path / "energy.log").read_text().splitlines()
    assert line.startswith("test_it.py::test_chat passed 1")

    hwmon.joinpath("hwmon3", "energy1_input").unlink()
    project.tests("def test_chat(whq): whq(str)")
    result = project.run("--whq-source=arc")
    result.stdout.fnmatch_lines(
        [f"test_it.py::test_chat   not measured: arc: {hwmon} has no energy counter. Load the xe driver"]
    )


def test_a_plugins_reader_comes_before_the_built_in_ones(project: MeasuredProject) -> None:
    project.conftest(
        """
from pytest_whq import TokenCount

def pytest_whq_read_tokens(reply):
    if reply["echo"] == "mine":
        return TokenCount(input_tokens=7, output_tokens=8, cached_input_tokens=1)
"""
    )
    project.tests(
        """
        def test_mine(whq, client):
            whq(client.chat, "mine")

        def test_not_mine(whq, client):
            whq(client.chat, "yours")
        """
    )
    project.run().assert_outcomes(passed=2)
    mine, yours = project.records.values()
    assert (mine["input_tokens"], mine["output_tokens"], mine["cached_input_tokens"]) == (35, 40, 5)
    assert (yours["input_tokens"], yours["output_tokens"]) == (500, 250)


@pytest.mark.parametrize("count", ["(7, 8)", "TokenCount(7.5, 8)", "TokenCount(-7, 8)"])
def test_what_is_no_count_of_tokens_is_refused(project: MeasuredProject, count: str) -> None:
    project.conftest(
        f"""
from pytest_whq import TokenCount

def pytest_whq_read_tokens(reply):
    return {count}
"""
    )
    project.tests(ONE_CALL)
    result = project.run("--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py:2: in test_chat",
            '    whq(client.chat, "Say hi.")',
            (
                "E   pytest_whq.errors.WhqError: pytest_whq_read_tokens must return a "
                "TokenCount of whole numbers, "
                "or None, not *"
            ),
        ],
        consecutive=True,
    )


def test_each_record_is_told_once_as_it_is_made(project: MeasuredProject) -> None:
    project.conftest(
        """
from pytest_whq import Record
RECORDS = []

def pytest_whq_record(record):
    assert isinstance(record, Record)
    RECORDS.append(record)

def pytest_runtest_logreport(report):
    if report.when == "teardown":
        print("told", len(RECORDS))

def pytest_unconfigure():
    print([(record.test, record.outcome, record.measurement.queries) for record in RECORDS])
"""
    )
    project.tests(ONE_CALL + "\ndef test_other(): pass\n")
    result = project.run("-s", "-q")
    assert [line for line in result.outlines if "told" in line] == [".told 1", ".told 1"]
    assert "[('test_it.py::test_chat', 'passed', 5)]" in result.outlines


def test_the_tests_of_the_documentation_pass(pytester: pytest.Pytester) -> None:
    _, tests = DOCUMENTED
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(tests)
    pytester.runpytest_subprocess("-W", "ignore::DeprecationWarning").assert_outcomes(passed=2)


TWO_CALLS = ONE_CALL + ONE_CALL.replace("test_chat", "test_again")


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("1 / 0", "ZeroDivisionError('division by zero')"),
        ("pytest.skip('not today')", "not today"),
        ("pytest.exit('enough')", "Exit('enough')"),
        ("raise SystemExit(3)", "SystemExit(3)"),
        ("raise Hostile", "Hostile, which does not say more"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_hook_that_fails_is_told_once_and_costs_nothing(
    project: MeasuredProject, fault: str, said: str, workers: tuple[str, ...]
) -> None:
    project.pytester.makepyfile(
        listener="""
        import pathlib

        def pytest_whq_record(record):
            with pathlib.Path("heard").open("a") as file:
                print(record.test, file=file)
        """
    )
    project.conftest(
        f"""
class Hostile(Exception):
    def __repr__(self):
        raise SystemExit

def pytest_whq_record():
    {fault}
"""
    )
    project.tests(TWO_CALLS)
    result = project.run_apart("-p", "listener", *workers)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    told = [line for line in result.outlines if "pytest_whq_record" in line]
    assert told == [f"pytest_whq_record of {project.path / 'conftest.py'} failed: {said}"]
    assert list(project.records) == ["test_chat", "test_again"]
    assert (project.path / "heard").read_text().splitlines() == [
        "test_it.py::test_chat",
        "test_it.py::test_again",
    ]
