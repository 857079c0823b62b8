import pytest
from measured_project import REAL_TIME, MeasuredProject

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""


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
        ("1 / 0", "The power source scripted cannot be opened: ZeroDivisionError('division by zero')"),
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


@pytest.mark.parametrize(
    ("devices", "why"),
    [
        ("()", "The power source scripted has no devices"),
        (
            "(Device(0, 'Board'),)",
            (
                "The power source scripted must give each device as a Device with id and name as text, "
                "a role as text or None and watts or None as its limit, "
                "not Device(id=0, name='Board', power_limit_w=None, role=None)"
            ),
        ),
    ],
)
def test_devices_that_cannot_be_told_apart_leave_tests_unmeasured(
    project: MeasuredProject, devices: str, why: str
) -> None:
    project.conftest(f"SOURCE.devices = lambda: {devices}")
    project.tests(ONE_CALL)
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"test_it.py::test_chat   not measured: {why}"])


def test_a_record_that_cannot_be_kept_is_said_and_fails_the_session(project: MeasuredProject) -> None:
    project.conftest(
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if hasattr(report, "whq_record"):
        report.whq_record["queries"] = "many"
"""
    )
    project.tests(ONE_CALL)
    result = project.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ['A record is lost: test_it.py::test_chat: queries is "many", but must be a whole number *']
    )


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


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("read = lambda self: sys.exit(3)", "The power source scripted cannot be read: SystemExit(3)"),
        (
            "read = lambda self: [Reading(self.devices()[0].id, time.monotonic(), float('nan'))]",
            "The power source scripted must give each reading as a Reading with *",
        ),
        (
            "def read(self): raise SourceError('the bus is gone', 'no_bus')",
            "The power source scripted cannot be read: SourceError('the bus is gone'), with the *",
        ),
    ],
)
def test_a_source_that_says_what_cannot_be_is_an_error_of_that_source(
    project: MeasuredProject, fault: str, why: str
) -> None:
    project.use_real_time()
    project.conftest(
        f"""
import sys
from pytest_whq import SourceError

class Faulty(SteadySource):
    {fault}

def pytest_whq_power_sources():
    return {{"scripted": Faulty}}
"""
    )
    project.tests(
        "import time\ndef test_chat(whq):\n    with whq.measure() as window:\n        window.record({})"
    )
    result = project.run_apart()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"test_it.py::test_chat   not measured: {why}"])
    assert project.records["test_chat"]["reasons"][0] == "source_error"
