"""What else is loaded, given or thrown: tests end as they would without the plugin."""

import pytest
from measured_project import MeasuredProject

pytestmark = pytest.mark.untraced

TESTS = """
import os
import signal
import time

import pytest

class Hostile(Exception):
    def __repr__(self):
        raise SystemExit("no words")

    __str__ = __repr__

def work():
    time.sleep(0.02)

@pytest.mark.parametrize("number", range(4))
def test_passes(whq, number):
    whq(work)

def test_raises(whq):
    whq(work)
    raise Hostile

def test_fails_in_the_call(whq):
    def fail():
        raise Hostile
    whq(fail)
"""

OUTCOMES = {
    **{f"test_passes[{number}]": "passed" for number in range(4)},
    "test_raises": "failed",
}


@pytest.mark.parametrize(
    "arguments",
    [("-p", "no:capture"), ("-p", "no:terminal"), ("-p", "no:cacheprovider"), ("-W", "error"), ("-s", "-vv")],
    ids=" ".join,
)
def test_options_that_take_parts_of_pytest_away_change_no_outcome(
    project: MeasuredProject, arguments: tuple[str, ...]
) -> None:
    project.use_real_time()
    project.ini(whq_rounds="1", whq_warmup="0", whq_min_seconds="0.02", whq_max_seconds="0.05")
    project.tests(TESTS)
    result = project.run_apart(*arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    outcomes = {name: record["outcome"] for name, record in project.records.items()}
    assert {name: outcomes[name] for name in OUTCOMES} == OUTCOMES
    assert "pytest_whq/" not in result.stdout.str().replace(str(project.path), "")
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


@pytest.mark.skipif(pytest.version_tuple >= (9,), reason="pytest-forked runs no test with this pytest")
def test_tests_in_forked_processes_are_measured(project: MeasuredProject) -> None:
    project.use_real_time()
    project.ini(whq_rounds="1", whq_warmup="0", whq_min_seconds="0.02", whq_max_seconds="0.05")
    project.tests(TESTS)
    project.run_apart("--forked").assert_outcomes(passed=4, failed=2)
    outcomes = {name: record["outcome"] for name, record in project.records.items()}
    assert {name: outcomes[name] for name in OUTCOMES} == OUTCOMES


@pytest.mark.parametrize("fatal", ["SIGKILL", "SIGSEGV", "SIGTERM"])
def test_a_worker_that_a_signal_ends_loses_only_the_test_that_ran(
    project: MeasuredProject, fatal: str
) -> None:
    project.tests(f"""
import os, signal, pytest

@pytest.mark.parametrize("number", range(6))
def test_it(whq, client, number):
    whq(client.chat, "Say hi.")
    if number == 3:
        os.kill(os.getpid(), signal.{fatal})
""")
    result = project.run_apart("-n", "1")
    result.assert_outcomes(passed=5, failed=1)
    assert sorted(project.records) == [f"test_it[{number}]" for number in (0, 1, 2, 4, 5)]
    assert all(record["valid"] for record in project.records.values())
