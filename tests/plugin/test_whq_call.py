import pytest
from measured_project import MeasuredProject


def test_the_reply_comes_back_and_the_energy_is_that_of_the_calls(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_short(whq, client):
            reply = whq(client.chat, "Say hi.", seconds=1.0)
            assert reply["echo"] == "Say hi."
            assert client.calls == 6
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_short"]
    assert (record["outcome"], record["valid"], record["reasons"]) == ("passed", True, [])
    assert (record["queries"], record["failed_queries"]) == (5, 0)
    assert (record["input_tokens"], record["output_tokens"]) == (500, 250)
    assert [one["queries"] for one in record["rounds"]] == [1, 1, 1, 1, 1]
    assert record["duration_s"] == pytest.approx(5.0, rel=2e-3)
    assert record["energy_j"] == pytest.approx(5 * 360.0, rel=2e-3)
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
    assert record["metrics"]["wh_per_1k_tokens"] == pytest.approx(0.1 / 0.15, rel=2e-3)
    assert record["metrics"]["j_per_output_token"] == pytest.approx(7.2, rel=2e-3)
    assert record["metrics"]["average_power_w"] == pytest.approx(360.0, rel=2e-3)


def test_several_calls_of_one_test_add_up(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_two(whq, client):
            whq(client.chat, "Say hi.")
            first = whq.measurement
            whq(client.chat, "Say ho.", seconds=2.0)
            assert (first.queries, whq.measurement.queries) == (5, 10)
            assert abs(whq.measurement.energy_j - 3 * first.energy_j) < 10
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_two"]["metrics"]["wh_per_query"] == pytest.approx(0.15, rel=2e-3)


def test_an_error_of_the_call_passes_with_only_the_users_own_frames(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_refused(whq, client):
            whq(client.fail, "Say hi.")
        """
    )
    result = project.run("--whq-warmup=0", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_refused _*",
            "test_it.py:2: in test_refused",
            '    whq(client.fail, "Say hi.")',
            "conftest.py:*: in fail",
            '    raise ConnectionError("refused")',
            "E   ConnectionError: refused",
            "-* energy, Wh per query -*",
        ],
        consecutive=True,
    )
    record = project.records["test_refused"]
    assert (record["outcome"], record["queries"], record["failed_queries"]) == ("failed", 0, 1)
    assert record["energy_j"] == pytest.approx(360.0, rel=2e-3)


def test_an_error_that_a_test_expects_is_a_failed_query_whose_energy_counts(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_refused(whq, client):
            with pytest.raises(ConnectionError):
                whq(client.fail, "Say hi.")
        """
    )
    project.run("--whq-warmup=0").assert_outcomes(passed=1)
    record = project.records["test_refused"]
    assert (record["valid"], record["reasons"][0]) == (False, "failed_queries")
    assert record["energy_j"] == pytest.approx(360.0, rel=2e-3)


def test_what_is_no_function_is_refused_with_the_way_to_write_it(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_result(whq, client):
            whq(client.chat("Say hi."))

        def test_coroutine(whq, client):
            whq(client.achat("Say hi."))

        def test_wrapped_result(whq, client):
            whq.wrap(client.chat("Say hi."))
        """
    )
    result = project.run("--tb=line")
    result.assert_outcomes(failed=3)
    what = "takes a function and calls it itself, not its result:"
    result.stdout.fnmatch_lines(
        [
            f"{project.path}/test_it.py:2: *WhqError: whq(client.chat, ...) {what} dict.",
            f"{project.path}/test_it.py:5: *WhqError: whq(client.chat, ...) {what} coroutine.",
            f"{project.path}/test_it.py:8: *WhqError: whq.wrap(client.chat) {what} dict.",
        ]
    )


def test_there_is_no_measurement_before_anything_is_measured(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_early(whq):
            whq.measurement
        """
    )
    result = project.run("--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py:2: in test_early",
            "    whq.measurement",
            (
                "E   pytest_whq.errors.WhqError: Nothing is measured yet: whq.measurement is "
                "there once whq(call) "
                "has returned or a whq.measure() window has closed."
            ),
        ],
        consecutive=True,
    )
    assert project.records == {}


def test_the_fixture_may_be_asked_for_while_the_test_runs(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_first(request, client):
            request.getfixturevalue("whq")(client.chat, "Say hi.")

        def test_second(request, client):
            request.getfixturevalue("whq")(client.chat, "Say hi.")
            raise ValueError("its own")
        """
    )
    result = project.pytester.runpytest_inprocess("--whq-max=wh_per_query=0.09")
    result.assert_outcomes(failed=2)
    project.ini(whq_max="wh_per_query=0.09")
    result = project.pytester.runpytest_inprocess("--tb=short")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (--whq-max): 5 queries, "
                "500 input and 250 output tokens, Scripted H100, scripted counter."
            ),
            "E   ValueError: its own",
            "-* energy, Wh per query -*",
            "test *Wh/query*",
            "test_it.py::test_first    100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "test_it.py::test_second   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "2 measured, 2 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
        ]
    )


def test_a_fixture_may_measure_before_the_test_runs(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def answer(whq, client):
            return whq(client.chat, "Say hi.")

        def test_answer(answer):
            assert answer["echo"] == "Say hi."
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_answer"]["queries"] == 5


def test_a_test_that_measures_nothing_with_the_fixture_says_so(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_idle(whq):
            pass
        """
    )
    result = project.run("--whq-max=wh_per_query=1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query has a budget of 1.00 Wh (--whq-max) but was not measured (0 "
                "queries, tokens unknown): "
                "the test has the whq fixture and measured nothing with it."
            ),
            "test_it.py::test_idle   not measured: the test has the whq fixture and measured nothing with it",
        ]
    )
