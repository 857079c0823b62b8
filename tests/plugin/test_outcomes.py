"""How a failing budget gets along with what else can happen to a test."""

import pytest
from measured_project import MeasuredProject

OVER = "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (--whq-max): *"
CAP = "--whq-max=wh_per_query=0.09"


def outcomes(project: MeasuredProject) -> dict[str, str]:
    return {name: record["outcome"] for name, record in project.records.items()}


def test_over_budget_is_exit_1_with_the_test_failed_in_its_call_phase(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def cleanup():
            yield
            print("cleaned up")

        @pytest.mark.whq_budget(wh_per_query=0.09)
        def test_chat(whq, client, cleanup):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget", "-s", "--junitxml=junit.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cleaned up*"])
    result.stdout.fnmatch_lines(
        [
            "_* test_chat _*",
            "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (marker): 5 queries, "
            "500 input and 250 output tokens, Scripted H100, scripted counter.",
            "-* energy, Wh per query -*",
            "test_it.py::test_chat   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "1 measured, 1 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "*generated xml file*",
            "=* short test summary info =*",
            "FAILED test_it.py::test_chat - Failed: wh_per_query is 100 mWh, 11.1 % over *",
        ],
        consecutive=True,
    )
    assert '<failure message="Failed: wh_per_query is 100 mWh' in (project.path / "junit.xml").read_text()
    assert outcomes(project) == {"test_chat": "failed"}


def test_a_failing_budget_is_placed_at_its_test(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run(CAP, "--tb=line")
    result.stdout.fnmatch_lines([f"{project.path}/test_it.py:1: Failed: {OVER}"])


def test_within_budget_is_exit_0(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=0.11, j_per_token=2.5)
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test_it.py::test_chat   100 mWh ± ?.? %   96.0 % of 2.50 J j_per_token",
            "1 measured · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "=* 1 passed in *",
        ],
        consecutive=True,
    )


def test_unmeasured_with_a_budget_is_exit_1(project: MeasuredProject) -> None:
    project.conftest(
        """
from pytest_whq import SourceError

def no_driver():
    raise SourceError("nvml: the driver is not loaded. Load it with modprobe nvidia.", "no_source")

def pytest_whq_power_sources():
    return {"scripted": no_driver}
"""
    )
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test_it.py::test_chat   not measured: nvml: the driver is not loaded. Load it with modprobe nvidia",
            "0 measured, 1 not measured · no device · no source · gross, scope not stated",
        ]
    )
    result = project.run(CAP)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "wh_per_query has a budget of 90.0 mWh (--whq-max) but was not measured (*): "
            "nvml: the driver is not loaded. Load it with modprobe nvidia."
        ]
    )
    record = project.records["test_chat"]
    assert (record["valid"], record["reasons"], record["energy_j"]) == (False, ["no_source"], None)


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
    assert "4 rerun" not in result.stdout.str() and "6 rerun" in result.stdout.str()
    assert outcomes(project) == {"test_call": "passed", "test_marker": "passed"}
    for record in project.records.values():
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
    assert [line for line in result.outlines if "record of" in line] == [
        "test_it.py RRrecord of test_it.py::test_call passed",
        ".RRrecord of test_it.py::test_marker passed",
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


def test_a_teardown_that_fails_takes_nothing_from_the_record(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def broken():
            yield
            raise ValueError("its own")

        def test_chat(whq, client, broken):
            whq(client.chat, "Say hi.")
        """
    )
    project.run().assert_outcomes(passed=1, errors=1)
    assert outcomes(project) == {"test_chat": "passed"}


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


def test_enforcing_nothing_is_said_in_yellow(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_free(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget", "--color=yes")
    assert result.ret == pytest.ExitCode.OK
    sentence = "--whq-budget enforced nothing: no budget applies to what was measured."
    assert f"\x1b[33m{sentence}\x1b[0m" in result.outlines
    project.tests("def test_other(): pass")
    project.run("--whq-budget").stdout.fnmatch_lines(["--whq-budget enforced nothing: nothing was measured."])


def test_hardware_that_no_budget_names_is_not_judged_and_said(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=0.01, hardware="NVIDIA B200*")
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_chat   100 mWh ± ?.? %   not judged: 10.0 mWh",
            '1 test not judged: the budget is for hardware "NVIDIA B200[*]", and this is Scripted H100',
            "1 measured · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "--whq-budget enforced nothing: no budget applies to what was measured.",
        ],
        consecutive=True,
    )


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


@pytest.mark.parametrize("missing", ["cacheprovider", "terminal", "capture", "junitxml", "xdist", "unittest"])
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


def test_quiet_shows_failing_tests_only_and_verbose_shows_all_there_is(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_modest(whq, client):
            whq(client.chat, "Say hi.", seconds=0.5)

        def test_hungry(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    project.run(CAP, "-q", "--tb=no").stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test_it.py::test_hungry   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "2 measured, 1 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
        ],
        consecutive=True,
    )
    project.run(CAP, "-v", "--tb=no").stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test_it.py::test_modest *   5 queries   500 in, 250 out   3.60 J/output token   360 W   5 rounds *",
            "test_it.py::test_hungry *   5 queries   500 in, 250 out   7.20 J/output token   360 W   5 rounds *",
        ],
        consecutive=True,
    )
