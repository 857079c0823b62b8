"""The engine's own counters beside a test, from the setting to the record."""

from collections.abc import Iterator

import pytest
from http_answers import Answer
from measured_project import MeasuredProject, run_with
from real_prometheus import free_port
from vllm_server import VllmServer

ASKING = """
import json
import urllib.request

@pytest.fixture
def ask():
    def ask(path="ask"):
        CLOCK.sleep(1.0)
        with urllib.request.urlopen(f"{ADDRESS}/{path}") as answer:
            return json.load(answer)
    return ask
"""

ONE_CALL = """
def test_chat(whq, ask):
    whq(ask)
"""


@pytest.fixture
def engine() -> VllmServer:
    return VllmServer()


@pytest.fixture
def served(project: MeasuredProject, engine: VllmServer) -> Iterator[str]:
    """The address of the engine, which the project's ``ask`` asks."""
    with engine.serve() as address:
        project.conftest(f"ADDRESS = {address!r}\n{ASKING}")
        project.ini(whq_server=address)
        yield address


def test_the_engine_tells_what_silent_replies_do_not(
    project: MeasuredProject, engine: VllmServer, served: str, given: str
) -> None:
    engine.tells = False
    project.ini()
    project.tests(ONE_CALL)
    run_with(project, given, whq_server=served).assert_outcomes(passed=1)
    record = project.records["test_chat"]
    assert (record["queries"], record["input_tokens"], record["output_tokens"]) == (5, 500, 250)
    assert record["reasons"] == []
    assert record["metrics"]["wh_per_1k_tokens"] == pytest.approx(0.1 / 0.15, rel=1e-3)
    assert record["server"] == {
        "engine": "vLLM",
        "queries": 5,
        "failed_queries": 0,
        "foreign_queries": 0,
        "input_tokens": 500,
        "output_tokens": 250,
        "cached_input_tokens": 0,
        "prefilled_tokens": 500,
        "fills": ["input_tokens", "output_tokens", "cached_input_tokens"],
    }


def test_without_the_setting_it_is_not_asked(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    project.ini()
    project.tests(ONE_CALL)
    project.run().assert_outcomes(passed=1)
    assert "server" not in project.records["test_chat"]
    assert engine.looks == 0


def test_a_window_is_not_looked_into(project: MeasuredProject, engine: VllmServer, served: str) -> None:
    project.tests(
        """
        def test_chat(whq, ask):
            with whq.measure() as window:
                for _ in range(10):
                    window.record(ask())
            with whq.measure() as window:
                window.record(ask())
        """
    )
    project.run().assert_outcomes(passed=1)
    assert engine.looks == 4
    assert project.records["test_chat"]["server"]["queries"] == 11
    # Five times a second of each call, 360 W.
    assert project.records["test_chat"]["energy_j"] == pytest.approx(11 * 360, rel=1e-3)


def test_queries_of_others_are_a_reason_with_their_number(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    project.tests(
        """
        def test_with_others(whq, ask):
            with whq.measure() as window:
                for _ in range(4):
                    window.record(ask())
                for _ in range(3):
                    ask()

        def test_alone(whq, ask):
            with whq.measure() as window:
                for _ in range(4):
                    window.record(ask())
        """
    )
    project.run().assert_outcomes(passed=2)
    beside = project.records["test_with_others"]
    assert (beside["reasons"], beside["valid"]) == (["foreign_queries"], True)
    assert beside["why"]["foreign_queries"].startswith("vLLM answered 3 queries of others beside the 4 of ")
    assert beside["server"]["foreign_queries"] == 3
    alone = project.records["test_alone"]
    assert (alone["reasons"], alone["server"]["foreign_queries"]) == ([], 0)


def test_a_repeated_prompt_from_the_prefix_cache_is_told_and_noted(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    project.tests(
        """
        def test_chat(whq, ask):
            with whq.measure() as window:
                window.record(ask("ask?prompt=100"))
                window.record(ask("ask?prompt=100&cached=96"))
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_chat"]
    assert (record["input_tokens"], record["cached_input_tokens"]) == (200, 96)
    assert record["notes"] == [
        "48.0 % of the input tokens came from a cache and cost next to nothing",
        "cached input tokens are as vLLM counted them: the replies do not tell them",
    ]


def test_of_a_load_ramp_up_and_tail_are_known_too(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    engine.tells = False
    project.use_real_time()
    project.conftest(f"ADDRESS = {served!r}\n{ASKING.replace('CLOCK.sleep(1.0)', 'time.sleep(0.01)')}")
    project.tests(
        """
        def test_load(whq, ask):
            whq.load(lambda _: ask(), range(40), concurrency=4)
        """
    )
    project.run("--whq-warmup=0").assert_outcomes(passed=1)
    record = project.records["test_load"]
    assert record["load"]["tail"] is not None
    assert (record["server"]["queries"], record["server"]["foreign_queries"]) == (40, 0)
    assert 30 < record["queries"] < 40
    assert record["output_tokens"] == 50 * record["queries"]


def test_windows_inside_others_are_not_watched_by_themselves(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    project.tests(
        """
        def test_chat(whq, ask):
            with whq.measure() as outer:
                outer.record(ask())
                with whq.measure() as inner:
                    inner.record(ask())
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_chat"]
    assert (record["queries"], record["server"]["queries"], engine.looks) == (2, 2, 2)


def test_windows_that_overlap_say_nothing_of_others(
    project: MeasuredProject, engine: VllmServer, served: str
) -> None:
    project.tests(
        """
        import asyncio

        async def test_chat(whq, ask):
            async def one(first, last):
                async with whq.measure() as window:
                    await asyncio.sleep(first)
                    window.record(ask())
                    await asyncio.sleep(last)
            await asyncio.gather(one(0.0, 0.2), one(0.1, 0.2))
        """
    )
    project.run("-p", "asyncio", "-o", "asyncio_mode=auto").assert_outcomes(passed=1)
    assert "server" not in project.records["test_chat"]
    assert project.records["test_chat"]["queries"] == 2


def test_an_engine_in_the_event_loop_of_the_test_itself_can_answer(project: MeasuredProject) -> None:
    project.use_real_time()
    project.ini(whq_server=f"http://127.0.0.1:{(port := free_port())}", asyncio_mode="auto")
    project.tests(
        f"""
        import asyncio

        async def test_chat(whq):
            counted = 0

            async def answer(reader, writer):
                await reader.readuntil(b"\\r\\n\\r\\n")
                text = f"vllm:request_success_total{{{{}}}} {{counted}}\\n".encode()
                writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + text)
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(answer, "127.0.0.1", {port})
            async with server, whq.measure() as window:
                counted += 1
                window.record()
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_chat"]["server"]["queries"] == 1


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (Answer("", 401), "answers 401: check the user and the password"),
        (Answer("<html>s3cret</html>", media="text/html"), "answers with something else than metrics"),
    ],
    ids=["password", "login"],
)
def test_an_engine_that_cannot_be_read_is_named_without_a_secret(
    project: MeasuredProject, engine: VllmServer, served: str, fails: Answer, said: str
) -> None:
    engine.fails = fails
    project.ini(whq_server=served.replace("http://", "http://me:s3cret@") + "?key=s3cret")
    project.tests(ONE_CALL)
    reports = [f"--whq-{name}=whq.{name}" for name in ("markdown", "html", "csv", "openmetrics")]
    result = project.run("-v", "--junitxml=junit.xml", *reports)
    result.assert_outcomes(passed=1)
    assert project.records["test_chat"]["valid"]
    note = project.records["test_chat"]["why"]["server_silent"]
    assert note.startswith(f"whq_server: {served}/metrics {said}")
    written = [path for path in project.path.rglob("*") if path.is_file() and path.name != "pytest.ini"]
    assert len(written) > 7
    for shown in (
        str(result.stdout),
        str(result.stderr),
        *(p.read_text("utf-8", "replace") for p in written),
    ):
        assert "s3cret" not in shown
        assert "czNjcmV0" not in shown


def test_what_is_no_address_ends_the_session_before_any_test(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    result = project.run("--whq-server=me:s3cret@node:8000")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--whq-server: needs an address such as http://HOST:PORT, with http or https."]
    )
    assert "s3cret" not in str(result.stderr)
