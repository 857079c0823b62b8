import re
from pathlib import Path

import pytest
from measured_project import REAL_TIME, MeasuredProject

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""


def test_the_conftest_of_the_documentation_does_what_it_says(project: MeasuredProject) -> None:
    text = Path(__file__).parents[2].joinpath("docs", "hooks.md").read_text("utf-8")
    (conftest,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
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
            assert whq.measurement.average_power_w == pytest.approx(360.0, rel=0.05)
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


def test_a_name_that_two_plugins_offer_is_an_error_that_names_both(
    project: MeasuredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pytester.makepyfile(
        other_plugin="def pytest_whq_power_sources(): return {'meter': None.__class__, 'scripted': object}"
    )
    project.tests(ONE_CALL)
    monkeypatch.syspath_prepend(project.path)
    result = project.run("-p", "other_plugin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (sentence, _) = result.errlines
    assert sentence.startswith("ERROR: Two plugins offer a power source by the name 'scripted': ")
    assert sentence.endswith(" Rename one of them.")
    assert "other_plugin" in sentence
    assert str(project.path / "conftest.py") in sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "return None",
            (
                "pytest_whq_power_sources of {} must return a dict of names and functions that "
                "open a source, "
                "not None."
            ),
        ),
        (
            "return {'meter': 5}",
            (
                "pytest_whq_power_sources of {} must return a dict of names and functions that "
                "open a source, "
                "not {{'meter': 5}}."
            ),
        ),
        ("raise ValueError('no bus')", "pytest_whq_power_sources of {} failed: ValueError('no bus')"),
        (
            "return {'nvml': object}",
            (
                "A plugin offers a power source by the name nvml, which pytest-whq uses itself: "
                "give it another "
                "name in pytest_whq_power_sources."
            ),
        ),
    ],
)
def test_an_offer_that_cannot_be_used_is_refused(project: MeasuredProject, body: str, sentence: str) -> None:
    project.pytester.makeconftest(f"def pytest_whq_power_sources(): {body}")
    project.tests("def test_chat(whq): pass")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines == [f"ERROR: {sentence.format(project.path / 'conftest.py')}", ""]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0", "The power source scripted cannot be opened: ZeroDivisionError: division by zero"),
        (
            "object()",
            (
                "The power source scripted cannot be used: its factory gives a object, not an object with "
                "devices(), read(), state() and close()"
            ),
        ),
        ("Mute()", "The power source scripted does not tell its devices: ValueError('no bus')"),
        ("Lost()", "the bus is gone. Plug it in"),
    ],
)
def test_a_source_that_cannot_be_opened_leaves_its_tests_unmeasured(
    project: MeasuredProject, source: str, why: str
) -> None:
    project.conftest(
        f"""
from pytest_whq import SourceError

class Mute:
    def devices(self):
        raise ValueError("no bus")

    def read(self): ...
    def state(self): ...
    def close(self): ...

class Lost(Mute):
    def devices(self):
        raise SourceError("the bus is gone. Plug it in.")

def pytest_whq_power_sources():
    return {{"scripted": lambda: {source}}}
"""
    )
    project.tests(ONE_CALL)
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"test_it.py::test_chat   not measured: {why}"])
    record = project.records["test_chat"]
    assert (record["reasons"], record["energy_j"]) == (["source_error"], None)


def test_a_source_that_comes_back_is_used_again(project: MeasuredProject) -> None:
    project.conftest(
        """
from pytest_whq import SourceError
TRIES = []

def flaky():
    TRIES.append(None)
    if len(TRIES) == 1:
        raise SourceError("the bus is busy.")
    return SOURCE

def pytest_whq_power_sources():
    return {"scripted": flaky}
"""
    )
    project.tests(ONE_CALL + ONE_CALL.replace("test_chat", "test_again") + "    from conftest import TRIES\n")
    project.run().assert_outcomes(passed=2)
    assert [record["valid"] for record in project.records.values()] == [False, True]


def test_a_conftest_deep_in_the_project_may_offer_a_source(project: MeasuredProject) -> None:
    project.pytester.makeconftest("")
    folder = project.pytester.mkdir("package")
    (folder / "conftest.py").write_text(REAL_TIME.replace('"scripted"', '"deep"'), "utf-8")
    (folder / "test_it.py").write_text("import pytest\n@pytest.mark.whq\ndef test_it(): pass", "utf-8")
    project.run("--whq-source=deep").assert_outcomes(passed=1)
    assert project.stored["rig"]["source"] == "deep"


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
