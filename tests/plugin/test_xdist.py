import json
import os
import signal
import time

import pytest
from measured_project import MeasuredProject
from patience import PATIENT_S

from pytest_whq.storing.journal import read_last_session

pytest.importorskip("xdist")

pytestmark = pytest.mark.untraced

MANY = """
import pytest

@pytest.mark.parametrize("number", range(20))
def test_many(whq, client, number):
    whq(client.chat, "Say hi.")

@pytest.mark.parametrize("number", range(20))
def test_other(number):
    pass
"""


def test_no_record_is_lost_and_budgets_are_enforced_in_workers(project: MeasuredProject) -> None:
    project.pytester.makepyprojecttoml(
        """
        [[tool.whq.budgets]]
        tests = "*[[]1?]"
        wh_per_query = 0.09
        """.replace("[[]", "[")
    )
    project.conftest(
        """
def pytest_whq_record(record):
    with open("records.txt", "a") as file:
        file.write(f"{record.test} {record.outcome}\\n")
"""
    )
    project.tests(MANY)
    result = project.run("-n4", "--whq-budget", "--tb=line")
    result.assert_outcomes(passed=30, failed=10)
    expected = {f"test_many[{n}]": "failed" if n >= 10 else "passed" for n in range(20)}
    assert {name: record["outcome"] for name, record in project.records.items()} == expected
    assert len(project.stored["records"]) == 20
    session = read_last_session(project.path / ".pytest_cache" / "d" / "whq")
    assert (len(session.run.records), session.note) == (20, None)
    assert len((project.path / "records.txt").read_text().splitlines()) == 20
    sentence = (
        "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (pyproject.toml, budgets[0]): "
        "5 queries, 500 input and 250 output tokens, Scripted H100, scripted counter."
    )
    assert result.outlines.count(f"{project.path}/test_it.py:3: Failed: {sentence}") == 10
    result.stdout.fnmatch_lines(
        ["20 measured, 10 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board"]
    )
    assert project.stored["rig"]["source"] == "scripted"


def test_devices_of_different_workers_stand_side_by_side_in_the_rig(project: MeasuredProject) -> None:
    project.conftest(
        """
import os
SOURCE._device = Device(f"{os.environ.get('PYTEST_XDIST_WORKER')} {__file__}", "Scripted H100", 700.0)
SOURCE.power_averaging_s = {SOURCE._device.id: 0.025}
"""
    )
    project.tests(
        """
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_chat(whq, client, number):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("-n2", "--dist=each")
    result.assert_outcomes(passed=4)
    assert sorted(device["id"].split()[0] for device in project.stored["rig"]["devices"]) == ["gw0", "gw1"]
    result.stdout.fnmatch_lines(
        ["2 measured · 2 x Scripted H100, 700 W limit each · scripted counter · gross, GPU board"]
    )


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"test_it.py": "import pytest\n@pytest.mark.whq(round=3)\ndef test_chat(whq): pass"},
            (
                "test_it.py::test_chat: the whq marker has no 'round', only rounds, warmup, min_seconds, "
                "max_seconds, precision, idle_ok, max_cached."
            ),
        ),
        (
            {"test_it.py": "def test_chat(whq): pass", "whq.toml": "[[budgets]]\nwh_per_query = 0"},
            "whq.toml, budgets[0]: wh_per_query must be a number of Wh above 0, not 0.",
        ),
        (
            {
                "test_it.py": "def test_chat(whq): pass",
                "pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\nwhq_source = nvlm",
            },
            (
                "There is no power source 'nvlm' (did you mean nvml?): "
                "there are auto, nvml, rapl, hwmon, amdsmi, zeus, estimate, scripted, dcgm:URL, redfish:URL, "
                "prometheus:URL."
            ),
        ),
    ],
)
def test_what_only_workers_find_wrong_is_one_sentence_and_nothing_runs(
    project: MeasuredProject, files: dict[str, str], sentence: str
) -> None:
    for name, content in files.items():
        (project.path / name).write_text(content, "utf-8")
    result = project.pytester.runpytest_inprocess("-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(errors=1)
    assert result.outlines.count(sentence) == 1
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.stderr.str() == ""


def test_what_the_command_line_says_wrong_is_found_before_workers_start(project: MeasuredProject) -> None:
    project.tests(MANY)
    result = project.run("-n2", "--whq-rounds=many")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines == ["ERROR: --whq-rounds must be a whole number of at least 1, not 'many'.", ""]
    assert result.outlines == []


def test_a_worker_that_crashes_loses_only_its_test(project: MeasuredProject) -> None:
    project.tests(
        MANY
        + """
import os

def test_crash(whq, client):
    whq(client.chat, "Say hi.")
    os._exit(3)
"""
    )
    result = project.run("-n2", "-k", "many or crash")
    result.assert_outcomes(passed=20, failed=1)
    result.stdout.fnmatch_lines(["*worker 'gw?' crashed while running 'test_it.py::test_crash'*"])
    assert sorted(project.records) == sorted(f"test_many[{n}]" for n in range(20))
    result.stdout.fnmatch_lines(["1 test crashed, and what it measured is lost: test_it.py::test_crash"])
    assert project.stored["gaps"] == [{"kind": "crashed", "what": "test_it.py::test_crash", "why": None}]


@pytest.mark.once
def test_crashes_are_told_where_nothing_else_was_measured_and_of_measured_tests_only(
    project: MeasuredProject,
) -> None:
    project.tests(
        """
        import os
        import pytest

        @pytest.fixture
        def model():
            os.kill(os.getpid(), 9)

        def test_setup(whq, model):
            pass

        def test_window(whq):
            with whq.measure():
                os.kill(os.getpid(), 9)

        def test_unmeasured():
            os.kill(os.getpid(), 9)
        """
    )
    result = project.run("-n1")
    result.assert_outcomes(failed=3)
    said = "2 tests crashed, and what they measured is lost: "
    result.stdout.fnmatch_lines([f"{said}test_it.py::test_setup, test_it.py::test_window"])
    assert project.records == {}


def test_ini_settings_and_reruns_hold_in_workers(project: MeasuredProject) -> None:
    project.ini(whq_json="energy.json", whq_max="wh_per_query=0.11", whq_only="true")
    project.tests(
        """
        ATTEMPTS = iter([2.0, 1.0])

        def test_chat(whq, client):
            whq(client.chat, "Say hi.", seconds=next(ATTEMPTS))

        def test_other():
            pass
        """
    )
    result = project.pytester.runpytest_inprocess("-n2", "--reruns=1")
    result.assert_outcomes(passed=1)
    (record,) = json.loads((project.path / "energy.json").read_text())["records"]
    assert (record["outcome"], record["metrics"]["wh_per_query"]) == ("passed", pytest.approx(0.1, rel=2e-3))


def test_workers_tell_why_energy_is_estimated(project: MeasuredProject) -> None:
    project.use_real_time()
    project.conftest(
        """
from pytest_whq import SourceError
from pytest_whq.testing import sessions_measure

def nvml(devices):
    raise SourceError("nvml: the driver is not loaded.", "no_source")

def rapl(devices):
    raise SourceError("rapl: nothing here.", "no_source")

@pytest.fixture(autouse=True)
def scripted_sources():
    with sessions_measure(nvml=nvml, rapl=rapl):
        yield
"""
    )
    project.tests(
        """
        import time

        def test_busy(whq):
            with whq.measure() as window:
                end_s = time.monotonic() + 0.5
                while time.monotonic() < end_s:
                    pass
                window.record({})
        """
    )
    for workers in ("-n1", "-n0"):
        result = project.run(workers, "--whq-source=auto")
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(
            [
                "1 measured · * · estimate · gross, CPU",
                "Energy is estimated from CPU time: nvml: the driver is not loaded. rapl: nothing here.",
            ],
            consecutive=True,
        )


def journals(project: MeasuredProject) -> str:
    """What sessions of the project have kept so far."""
    kept = (project.path / ".pytest_cache" / "d" / "whq").glob("*")
    return "".join(path.read_text("utf-8") for path in kept if path.is_file())


def test_ctrl_c_keeps_the_finished_records(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests(
        """
        import pathlib
        import time
        import pytest

        def test_short(whq):
            with whq.measure() as window:
                window.record({})

        @pytest.mark.whq(rounds=100, min_seconds=600, max_seconds=600)
        def test_long(whq):
            whq(work)

        def work():
            time.sleep(0.05)
            pathlib.Path("working").touch()
        """
    )
    process = project.start("-n1")
    deadline_s = time.monotonic() + PATIENT_S
    # The controller has to know of what its worker has finished.
    while not ((project.path / "working").exists() and "test_short" in journals(project)):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    # As a terminal does it: to all of its processes.
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENT_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert (project.path / "run.json").exists(), output
    assert list(project.records) == ["test_short"], output
