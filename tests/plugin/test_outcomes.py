"""How a failing budget gets along with what else can happen to a test."""

import pytest
from measured_project import MeasuredProject

from pytest_whq.storing.baseline_file import read_baseline
from pytest_whq.storing.journal import read_last_session

CAP = "--whq-max=wh_per_query=0.09"


def outcomes(project: MeasuredProject) -> dict[str, str]:
    return {name: record["outcome"] for name, record in project.records.items()}


def test_xfail_expects_a_failing_budget(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.xfail(reason="hungry")
        def test_lenient(whq, client):
            whq(client.chat, "Say hi.")

        @pytest.mark.xfail(reason="hungry", strict=True)
        def test_strict(whq, client):
            whq(client.chat, "Say hi.")

        @pytest.mark.xfail(reason="hungry", raises=ValueError)
        def test_of_another_kind(whq, client):
            whq(client.chat, "Say hi.")

        @pytest.mark.xfail(reason="hungry")
        def test_modest(whq, client):
            whq(client.chat, "Say hi.", seconds=0.5)

        @pytest.mark.xfail(reason="hungry", strict=True)
        def test_strictly_modest(whq, client):
            whq(client.chat, "Say hi.", seconds=0.5)

        @pytest.mark.xfail(reason="hungry", run=False)
        def test_not_run(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run(CAP, "-rx")
    result.assert_outcomes(xfailed=3, xpassed=1, failed=2)
    result.stdout.fnmatch_lines(["XFAIL test_it.py::test_strict - hungry"])
    assert outcomes(project) == {
        "test_lenient": "xfailed",
        "test_strict": "xfailed",
        "test_of_another_kind": "failed",
        "test_modest": "xpassed",
        "test_strictly_modest": "failed",
    }


def test_a_skip_keeps_the_record_only_of_what_was_measured_before_it(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_before(whq):
            pytest.skip("no model")

        def test_after(whq, client):
            whq(client.chat, "Say hi.")
            pytest.skip("no judge")

        def test_inside(whq, client):
            with whq.measure() as window:
                pytest.skip("no model")

        @pytest.mark.skip
        def test_never(whq):
            pass

        @pytest.mark.whq_budget(wh_per_query=0.01)
        @pytest.mark.skipif(True, reason="never")
        def test_marked():
            pass
        """
    )
    result = project.run(CAP)
    result.assert_outcomes(skipped=5)
    assert outcomes(project) == {"test_after": "skipped"}


def test_of_a_test_that_is_run_again_the_last_attempt_counts(project: MeasuredProject) -> None:
    project.conftest("def pytest_whq_record(record): print('record of', record.test, record.outcome)\n")
    project.tests(
        """
        import pytest
        ATTEMPTS = iter([3.0, 2.0, 1.0] * 3)

        def test_call(whq, client):
            whq(client.chat, "Say hi.", seconds=next(ATTEMPTS))

        @pytest.mark.whq
        def test_marker(client):
            client.chat("Say hi.", seconds=next(ATTEMPTS))

        def test_stops_measuring(whq, client):
            if (seconds := next(ATTEMPTS)) > 1.0:
                whq(client.chat, "Say hi.", seconds)
            assert False, "its own"
        """
    )
    result = project.run("--whq-max=wh_per_query=0.11", "--reruns=2", "-s")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*, 6 rerun in *"])
    assert outcomes(project) == {"test_call": "passed", "test_marker": "passed"}
    for record in project.records.values():
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
    assert [line for line in result.outlines if "record of" in line] == [
        "test_it.py RR.record of test_it.py::test_call passed",
        "RR.record of test_it.py::test_marker passed",
    ]


def test_the_first_failing_budget_ends_the_session_where_asked(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_first(whq, client):
            whq(client.chat, "Say hi.", seconds=0.5)

        def test_second(whq, client):
            whq(client.chat, "Say hi.")

        def test_third(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run(CAP, "-x")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(project) == {"test_first": "passed", "test_second": "failed"}


def test_the_tests_own_exception_passes_untouched(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_chat(whq, client):
            reply = whq(client.chat, "Say hi.")
            assert reply["echo"] == "Say ho.", "its own"
        """
    )
    result = project.run(CAP, "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*over its budget*")
    result.stdout.no_fnmatch_line("*pytest_whq*")
    result.stdout.fnmatch_lines(["E   AssertionError: its own"])
    assert project.records["test_chat"]["budgets"][0]["outcome"] == "exceeded"


TORN = """
import pytest

@pytest.fixture(scope="module")
def broken_at_last():
    yield
    raise ValueError("its own")

@pytest.fixture
def broken():
    yield
    raise ValueError("its own")
"""
"""Fixtures that fail when they are torn down."""


@pytest.mark.parametrize("arguments", [[], ["-n1"]], ids=["alone", "in a worker"])
def test_a_test_whose_teardown_fails_has_failed_and_is_not_accepted(
    project: MeasuredProject, arguments: list[str]
) -> None:
    project.conftest("def pytest_whq_record(record): print('record of', record.test, record.outcome)\n")
    project.tests(
        TORN
        + """
def test_chat(whq, client, broken):
    whq(client.chat, "Say hi.")

def test_good(whq, client, broken_at_last):
    whq(client.chat, "Say hi.")

def test_last(whq, client, broken_at_last):
    whq(client.chat, "Say hi.")
"""
    )
    result = project.run("--whq-update-baseline", "-s", *arguments)
    result.assert_outcomes(passed=3, errors=2)
    assert outcomes(project) == {"test_chat": "failed", "test_good": "passed", "test_last": "failed"}
    assert project.records["test_chat"]["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
    assert list(read_baseline(project.path / "whq-baseline.json").tests) == ["test_it.py::test_good"]
    told = [line.partition("::")[2] for line in result.outlines if "record of" in line]
    assert told == ["test_chat failed", "test_good passed", "test_last failed"]
    session = read_last_session(project.path / ".pytest_cache" / "d" / "whq")
    assert [record.outcome for record in session.run.records] == ["failed", "passed", "failed"]


def test_a_teardown_that_fails_is_forgiven_where_another_attempt_passes(project: MeasuredProject) -> None:
    project.conftest("def pytest_whq_record(record): print('record of', record.test, record.outcome)\n")
    project.tests(
        """
        import pytest
        BREAKS = {"test_mended": iter([True, False]), "test_worse": iter([True, False])}
        FAILS = iter([False, True])

        @pytest.fixture
        def broken(request):
            yield
            if next(BREAKS[request.node.name]):
                raise ValueError("its own")

        def test_mended(whq, client, broken):
            whq(client.chat, "Say hi.")

        def test_worse(whq, client, broken):
            assert not next(FAILS)
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--reruns=1", "-s")
    assert outcomes(project) == {"test_mended": "passed", "test_worse": "failed"}
    told = [line.partition("::")[2] for line in result.outlines if "record of" in line]
    assert told == ["test_mended passed", "test_worse failed"]


def test_a_setup_that_fails_after_it_measured_leaves_no_record(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def broken(whq, client):
            whq(client.chat, "Say hi.")
            raise ValueError("its own")

        def test_chat(broken):
            pass
        """
    )
    project.run().assert_outcomes(errors=1)
    assert project.records == {}


def test_no_test_or_only_a_listing_of_tests_is_no_matter(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    project.run().assert_outcomes(passed=1)
    before = project.stored
    result = project.run("--collect-only", "--whq-budget")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*whq-budget*")
    result.stdout.no_fnmatch_line("*energy*")
    assert project.stored == before

    result = project.run("-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert project.records == {}


@pytest.mark.parametrize("missing", ["cacheprovider", "terminal", "capture"])
def test_other_plugins_may_be_missing(project: MeasuredProject, missing: str) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=0.09)
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run_apart("-p", f"no:{missing}", "--whq-budget")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.stderr.str() == ""
    assert outcomes(project) == {"test_chat": "failed"}
