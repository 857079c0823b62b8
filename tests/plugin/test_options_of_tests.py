"""Which tests run and which are measured, by option and by ini setting."""

import pytest
from measured_project import MeasuredProject, run_with

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")

def test_other():
    pass
"""


def test_only_measured_tests_run(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    run_with(project, given, whq_only="true").assert_outcomes(passed=1, deselected=1)
    assert list(project.records) == ["test_chat"]


def test_only_leaves_nothing_where_nothing_is_measured(project: MeasuredProject, given: str) -> None:
    project.tests("def test_other(): pass")
    result = run_with(project, given, whq_only="true")
    result.assert_outcomes(deselected=1)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_measured_tests_are_left_out(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    run_with(project, given, whq_skip="true").assert_outcomes(passed=1, deselected=1)


def test_disabled_bodies_run_once_and_unmeasured(project: MeasuredProject, given: str) -> None:
    project.tests(
        """
        import pytest

        def test_call(whq, client):
            assert whq(client.chat, "Say hi.")["echo"] == "Say hi."
            assert client.calls == 1

        @pytest.mark.asyncio
        async def test_async(whq, client):
            assert (await whq(client.achat, "Say hi."))["echo"] == "Say hi."
            async with whq.measure() as window:
                assert window.record(await client.achat("Say ho."))["echo"] == "Say ho."
            assert client.calls == 2

        def test_window(whq, client):
            chat = whq.wrap(client.chat)
            with whq.measure() as window:
                assert window.record(chat("Say hi."))["echo"] == "Say hi."
            assert client.calls == 1

        @pytest.mark.whq_budget(wh_per_query=0.01)
        def test_marker(client):
            client.chat("Say hi.")

        def test_figure(whq, client):
            whq(client.chat, "Say hi.")
            assert whq.measurement.wh_per_query < 0.01

        def test_figure_of_window(whq):
            with whq.measure() as window:
                pass
            assert window.measurement.wh_total < 0.01
        """
    )
    result = run_with(project, given, whq_disable="true", whq_budget="true")
    result.assert_outcomes(passed=4, skipped=2)
    result.stdout.fnmatch_lines(["--whq-budget enforced nothing: nothing was measured."])
    assert project.records == {}
    project.run("--whq-disable", "-rs").stdout.fnmatch_lines(
        ["SKIPPED *: Nothing is measured: --whq-disable is set."]
    )
