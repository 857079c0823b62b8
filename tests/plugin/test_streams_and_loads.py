"""Streams, loads and wrapped clients as tests use them."""

import re

import pytest
from measured_project import MeasuredProject

STREAMS = """
def chunk(content=None, usage=None):
    choices = [] if usage else [{"delta": {"content": content}}]
    return {"object": "chat.completion.chunk", "choices": choices, "usage": usage}

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}

class Streams:
    def stream(self, prompt, fail=False, usage=True):
        for content in ("a", "b"):
            SOURCE.call(0.5, 360.0)
            yield chunk(content)
        if fail:
            raise ConnectionError("cut")
        if usage:
            yield chunk(usage=USAGE)

    async def astream(self, prompt):
        for one in self.stream(prompt):
            yield one

    def load(self, number):
        SOURCE.call(1.0, 360.0)
        if number % 3 == 2:
            raise ConnectionError("refused")
        return {"object": "chat.completion", "choices": [], "usage": USAGE}

@pytest.fixture
def streams():
    return Streams()
"""


@pytest.fixture
def streaming(project: MeasuredProject) -> MeasuredProject:
    project.conftest(STREAMS)
    return project


def test_a_recorded_stream_is_a_query_once_it_is_read(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        def test_stream(whq, streams):
            with whq.measure() as window:
                chunks = list(window.record(streams.stream("Say hi.")))
            assert [c["choices"][0]["delta"]["content"] for c in chunks[:2]] == ["a", "b"]
        """
    )
    streaming.run().assert_outcomes(passed=1)
    record = streaming.records["test_stream"]
    assert (record["queries"], record["input_tokens"], record["output_tokens"]) == (1, 100, 50)
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
    assert record["distributions"]["ttft_s"]["p50"] == pytest.approx(0.5)
    assert record["distributions"]["latency_s"]["mean"] == pytest.approx(1.0)


def test_streams_that_fail_or_are_left_open_are_failed_queries(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        import pytest
        def test_streams(whq, streams):
            with whq.measure() as window:
                list(window.record(streams.stream("Say hi.")))
                with pytest.raises(ConnectionError):
                    list(window.record(streams.stream("Say hi.", fail=True)))
                window.record(streams.stream("Say hi.")).close()
                kept = window.record(streams.stream("Say hi."))
                next(kept)
            list(kept)
        """
    )
    streaming.run().assert_outcomes(passed=1)
    record = streaming.records["test_streams"]
    assert (record["queries"], record["failed_queries"]) == (1, 3)
    assert record["failures"] == {"abandoned stream": 2, "ConnectionError": 1}


def test_a_repeated_call_that_streams_is_drained(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        import pytest
        @pytest.mark.whq(rounds=3)
        def test_sync(whq, streams):
            chunks = whq(streams.stream, "Say hi.")
            assert len(chunks) == 3
        @pytest.mark.whq(rounds=3)
        @pytest.mark.asyncio
        async def test_async(whq, streams):
            chunks = await whq(streams.astream, "Say hi.")
            assert len(chunks) == 3
        """
    )
    streaming.run().assert_outcomes(passed=2)
    for record in streaming.records.values():
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)
        assert (record["queries"], record["output_tokens"]) == (6, 300) or record["queries"] >= 3


def test_a_stream_that_tells_no_usage_says_how_to_get_it(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        def test_stream(whq, streams):
            with whq.measure() as window:
                list(window.record(streams.stream("Say hi.", usage=False)))
        """
    )
    streaming.run().assert_outcomes(passed=1)
    assert streaming.records["test_stream"]["why"]["tokens_missing"] == (
        "a stream did not tell its tokens: the OpenAI client's does with "
        'stream_options={"include_usage": True}'
    )


def test_a_wrapped_function_that_streams_records_each_stream(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        def test_wrapped(whq, streams):
            stream = whq.wrap(streams.stream)
            with whq.measure():
                for _ in range(2):
                    assert len(list(stream("Say hi."))) == 3
        """
    )
    streaming.run().assert_outcomes(passed=1)
    record = streaming.records["test_wrapped"]
    assert (record["queries"], record["output_tokens"]) == (2, 100)


LOAD = """
    def test_load(whq, streams):
        replies = whq.load(streams.load, range(9), concurrency=1)
        assert [type(reply).__name__ for reply in replies] == ["dict", "dict", "ConnectionError"] * 3
"""


def test_a_server_that_refuses_every_third_query(streaming: MeasuredProject) -> None:
    streaming.tests(LOAD)
    result = streaming.run("--whq-max=wh_per_query=1", "-v")
    result.assert_outcomes(failed=1)
    record = streaming.records["test_load"]
    assert (record["queries"], record["failed_queries"], record["failures"]) == (6, 3, {"ConnectionError": 3})
    assert record["energy_j"] == pytest.approx(9 * 360, rel=2e-3)
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.15, rel=2e-3)
    assert record["input_tokens"] == 600
    result.stdout.fnmatch_lines(["*3 of 9 queries failed."])


@pytest.mark.parametrize("allowed", ["3", "34%"])
def test_failures_may_be_allowed(streaming: MeasuredProject, allowed: str) -> None:
    streaming.tests(LOAD)
    result = streaming.run("--whq-max=wh_per_query=1", f"--whq-max-failed={allowed}", "-v")
    result.assert_outcomes(passed=1)
    assert streaming.records["test_load"]["valid"] is True
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_load   150 mWh *",
            "    6 queries, 3 failed *",
            "*1 in flight, 0.667 queries/s*",
            "test_it.py::test_load: failed queries are not counted as queries, but their energy is counted: "  # noqa: ISC004
            "3 ConnectionError",
        ]
    )


def test_failures_are_allowed_by_the_nearest_budget(streaming: MeasuredProject) -> None:
    streaming.tests("import pytest\n@pytest.mark.whq_budget(wh_per_query=1, max_failed=2)" + _dedented(LOAD))
    streaming.run("--whq-budget", "--whq-max-failed=3").assert_outcomes(failed=1)


def test_max_failed_that_cannot_be_is_refused(streaming: MeasuredProject) -> None:
    streaming.tests(LOAD)
    result = streaming.run("--whq-max-failed=many")
    result.stderr.fnmatch_lines(
        ["ERROR: --whq-max-failed must be a count such as 3, or a share such as*, not 'many'."]
    )


def test_ctrl_c_reports_what_a_load_has_measured(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        def interrupted(number):
            if number == 4:
                raise KeyboardInterrupt
        def test_load(whq, streams):
            whq.load(lambda number: interrupted(number) or streams.load(0), range(1000), concurrency=1)
        """
    )
    note = "broken off after 4 queries, with 1 in flight: it would have gone on"
    streaming.run_apart("-v").stdout.fnmatch_lines([f"test_it.py::test_load: {note}"])
    record = streaming.records["test_load"]
    assert (record["queries"], record["outcome"], record["notes"][-1]) == (4, "interrupted", note)


def test_a_timeout_of_the_test_reports_what_a_load_has_measured(streaming: MeasuredProject) -> None:
    # As pytest-timeout does it.
    streaming.tests(
        """
        import signal
        import time
        import pytest

        def test_load(whq, streams):
            signal.signal(signal.SIGALRM, lambda *_: pytest.fail("Timeout"))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            whq.load(lambda _: time.sleep(0.01) or streams.load(0), range(1000), concurrency=1)
        """
    )
    streaming.run_apart().assert_outcomes(failed=1)
    record = streaming.records["test_load"]
    assert record["outcome"] == "failed"
    assert record["queries"] in range(1, 1000)
    assert re.fullmatch(r"broken off after \d+ quer(y|ies).*: it would have gone on", record["notes"][-1])


def test_without_measuring_a_load_runs_all_the_same(streaming: MeasuredProject) -> None:
    streaming.tests(
        """
        def test_load(whq, streams):
            assert whq.load(lambda number: number + 1, [1, 2, 3], concurrency=2) == [2, 3, 4]
            assert len(whq(streams.stream, "Say hi.")) == 3
        """
    )
    streaming.run("--whq-disable").assert_outcomes(passed=1)


def _dedented(text: str) -> str:
    from textwrap import dedent

    return dedent(text)
