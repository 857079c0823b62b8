import pytest
from measured_project import MeasuredProject


def test_a_window_measures_what_runs_in_it(project: MeasuredProject) -> None:
    project.tests(
        """
        PROMPTS = ["Say hi.", "Say ho.", "Say hum."]

        def test_own_loop(whq, client):
            with whq.measure() as window:
                for prompt in PROMPTS:
                    assert window.record(client.chat(prompt))["echo"] == prompt
            assert window.measurement == whq.measurement
            assert round(whq.measurement.wh_per_query, 2) == 0.1
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_own_loop"]
    assert (record["queries"], record["input_tokens"], record["output_tokens"]) == (3, 300, 150)
    assert record["energy_j"] == pytest.approx(3 * 360.0, rel=2e-3)
    assert record["duration_s"] == pytest.approx(3.0)


def test_an_async_window_measures_what_runs_in_it(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_own_loop(whq, client):
            async with whq.measure() as window:
                assert window.record(await client.achat("Say hi."))["echo"] == "Say hi."
            assert round(window.measurement.wh_per_query, 2) == 0.1
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_own_loop"]["queries"] == 1


def test_queries_are_recorded_with_the_tokens_given_or_as_failed(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_given(whq, client):
            with whq.measure() as window:
                reply = client.chat("Say hi.")
                assert window.record(reply, output_tokens=7) is reply
                assert window.record(input_tokens=10, output_tokens=20) is None
                assert window.record([reply, reply]) == [reply, reply]

        def test_failed(whq, client):
            with whq.measure() as window:
                reply = client.chat("Say hi.")
                assert window.record(reply, ok=False) is reply
                window.record(reply)

        def test_unknown(whq, client):
            with whq.measure() as window:
                client.chat("Say hi.")
                window.record()
        """
    )
    project.run().assert_outcomes(passed=3)
    given, failed, unknown = project.records.values()
    assert (given["queries"], given["input_tokens"], given["output_tokens"]) == (4, 310, 127)
    assert (failed["queries"], failed["failed_queries"], failed["output_tokens"]) == (1, 1, 50)
    assert failed["reasons"] == ["failed_queries"]
    assert (unknown["queries"], unknown["input_tokens"], unknown["output_tokens"]) == (1, None, None)
    assert (unknown["valid"], unknown["reasons"]) == (True, ["tokens_missing"])


def test_token_counts_that_are_none_are_refused(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_negative(whq):
            with whq.measure() as window:
                window.record(output_tokens=-1)

        def test_float(whq):
            with whq.measure() as window:
                window.record(input_tokens=1.5)

        def test_list(whq, client):
            with whq.measure() as window:
                window.record([client.chat("Say hi."), client.chat("Say hi.")], output_tokens=5)
        """
    )
    result = project.run("--tb=line")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            (
                f"{project.path}/test_it.py:3: *WhqError: output_tokens must be a whole number from "
                f"0 to 1000000000, not -1."
            ),
            (
                f"{project.path}/test_it.py:7: *WhqError: input_tokens must be a whole number from "
                f"0 to 1000000000, not 1.5."
            ),
            (
                f"{project.path}/test_it.py:11: *WhqError: input_tokens and output_tokens are "
                f"those of one query: "
                "record the replies of a list singly."
            ),
        ]
    )


def test_nested_windows_count_queries_in_both_and_energy_once(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_nested(whq, client):
            with whq.measure() as outer:
                outer.record(client.chat("Say hi."))
                with whq.measure() as inner:
                    inner.record(client.chat("Say ho."))
                whq(client.chat, "Say hum.")
            assert inner.measurement.queries == 1
            assert abs(inner.measurement.energy_j - 360) < 2
            assert outer.measurement == whq.measurement
        """
    )
    project.run("--whq-warmup=0").assert_outcomes(passed=1)
    record = project.records["test_nested"]
    assert (record["queries"], len(record["rounds"])) == (7, 1)
    # Beside its calls it holds what the inner windows wait for the sensor.
    assert 7.0 < record["duration_s"] < 9.0
    assert record["energy_j"] == pytest.approx(360.0 * record["duration_s"], rel=2e-3)


def test_a_query_is_recorded_only_while_its_window_is_open(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_early(whq):
            whq.measure().record({})

        def test_late(whq):
            with whq.measure() as window:
                pass
            window.record({})
        """
    )
    result = project.run("--tb=line")
    result.assert_outcomes(failed=2)
    sentence = "A query is recorded while its window is open: inside the with of whq.measure()."
    result.stdout.fnmatch_lines(
        [
            f"{project.path}/test_it.py:2: *WhqError: {sentence}",
            f"{project.path}/test_it.py:7: *WhqError: {sentence}",
        ]
    )


def test_a_window_opens_once_and_tells_nothing_before_it_has_closed(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_again(whq):
            window = whq.measure()
            with window:
                pass
            with window:
                pass

        def test_early(whq):
            with whq.measure() as window:
                window.measurement
        """
    )
    result = project.run("--tb=line")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            (
                f"{project.path}/test_it.py:5: *WhqError: A window opens once: "
                "call whq.measure() again for another one."
            ),
            (
                f"{project.path}/test_it.py:10: *WhqError: A window's measurement is there once "
                f"it has closed, "
                "after its with block."
            ),
        ]
    )


def test_a_window_that_is_left_by_an_error_is_measured(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_own_error(whq, client):
            with whq.measure() as window:
                window.record(client.chat("Say hi."))
                assert False, "its own"
        """
    )
    result = project.run("--whq-max=wh_per_query=0.01", "--tb=line")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{project.path}/test_it.py:4: AssertionError: its own"])
    record = project.records["test_own_error"]
    assert (record["outcome"], record["queries"]) == ("failed", 1)
    assert record["budgets"][0]["outcome"] == "exceeded"


def test_windows_of_tasks_that_overlap_count_their_common_energy_once_and_every_query(
    project: MeasuredProject,
) -> None:
    project.use_real_time()
    project.tests(
        """
        import asyncio
        import pytest

        @pytest.mark.asyncio
        async def test_gather(whq):
            async def one(number):
                await asyncio.sleep(number / 20)
                async with whq.measure() as window:
                    await asyncio.sleep(0.4)
                    window.record(input_tokens=10, output_tokens=5)

            await asyncio.gather(*map(one, range(8)))
            assert whq.measurement.queries == 8
        """
    )
    project.run().assert_outcomes(passed=1)
    (record,) = project.records.values()
    assert (record["queries"], record["output_tokens"], len(record["rounds"])) == (8, 40, 1)
    assert record["energy_j"] == pytest.approx(360 * record["duration_s"], rel=0.02)
    # From when the first window is ready, which takes some of the time, to the end of the last.
    assert record["duration_s"] >= 0.6
