import pytest
from measured_project import MeasuredProject

CLIENTS = """
import functools

async def plain(client):
    return client.chat("Say hi.")

def decorated(client):  # as the methods of AsyncOpenAI: a plain function that returns a coroutine
    return plain(client)

class Callable:
    async def __call__(self, client):
        return client.chat("Say hi.")

async def failing(client):
    client.fail("Say hi.")
"""


def assert_measured_once(project: MeasuredProject, *tests: str) -> None:
    assert list(project.records) == list(tests)
    for record in project.records.values():
        assert (record["queries"], record["failed_queries"], record["input_tokens"]) == (5, 0, 500)
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)


def test_whatever_returns_an_awaitable_is_awaited_under_asyncio(project: MeasuredProject) -> None:
    project.tests(
        CLIENTS
        + """
import pytest
pytestmark = pytest.mark.asyncio

async def test_coroutine_function(whq, client):
    assert (await whq(plain, client))["echo"] == "Say hi."
    assert client.calls == 6

async def test_decorated_function(whq, client):
    assert (await whq(decorated, client))["echo"] == "Say hi."
    assert client.calls == 6

async def test_partial(whq, client):
    assert (await whq(functools.partial(plain, client)))["echo"] == "Say hi."

async def test_object(whq, client):
    assert (await whq(Callable(), client))["echo"] == "Say hi."

async def test_method(whq, client):
    assert (await whq(client.achat, "Say ho."))["echo"] == "Say ho."
"""
    )
    project.run().assert_outcomes(passed=5)
    assert_measured_once(
        project,
        "test_coroutine_function",
        "test_decorated_function",
        "test_partial",
        "test_object",
        "test_method",
    )


def test_anyio_runs_it_on_asyncio_and_trio(project: MeasuredProject) -> None:
    pytest.importorskip("trio")
    project.tests(
        CLIENTS
        + """
import pytest
pytestmark = pytest.mark.anyio

async def test_backend(whq, client, anyio_backend_name):
    assert (await whq(plain, client))["echo"] == "Say hi."
    async with whq.measure() as window:
        window.record(await client.achat("Say hi."))
"""
    )
    project.run("-p", "anyio").assert_outcomes(passed=2)
    assert [record["queries"] for record in project.records.values()] == [6, 6]
    assert list(project.records) == ["test_backend[asyncio]", "test_backend[trio]"]


def test_waiting_leaves_the_event_loop_free_on_asyncio_and_trio(project: MeasuredProject) -> None:
    pytest.importorskip("trio")
    project.use_real_time()
    project.tests(
        """
        import time
        import anyio
        import pytest

        @pytest.mark.anyio
        async def test_window(whq):
            turns = 0

            async def count_turns():
                nonlocal turns
                while True:
                    await anyio.sleep(0.01)
                    turns += 1

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(count_turns)
                async with whq.measure() as window:
                    opened = turns
                    time.sleep(0.1)
                    window.record({})
                assert opened >= 3 and turns >= opened + 3
                tasks.cancel_scope.cancel()
        """
    )
    project.run("-p", "anyio").assert_outcomes(passed=2)


def test_an_error_of_an_awaited_call_passes_with_only_the_users_own_frames(project: MeasuredProject) -> None:
    project.tests(
        CLIENTS
        + """
import pytest

@pytest.mark.asyncio
async def test_refused(whq, client):
    await whq(failing, client)
"""
    )
    result = project.run("--whq-warmup=0", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py:*: in test_refused",
            "    await whq(failing, client)",
            "test_it.py:*: in failing",
            '    client.fail("Say hi.")',
            "conftest.py:*: in fail",
            '    raise ConnectionError("refused")',
            "E   ConnectionError: refused",
        ],
        consecutive=True,
    )
    assert project.records["test_refused"]["failed_queries"] == 1


def test_a_marker_alone_measures_an_async_test_as_one_query(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.asyncio
        @pytest.mark.whq
        async def test_whole(client):
            await client.achat("Say hi.")
            await client.achat("Say hi.")
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_whole"]
    assert (record["queries"], record["duration_s"]) == (1, pytest.approx(2.0, rel=2e-3))
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.2, rel=2e-3)


def test_a_call_that_is_never_awaited_leaves_nothing_measured(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_forgotten(whq, client):
            whq(client.achat, "Say hi.").close()
            assert client.calls == 0
        """
    )
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "test_it.py::test_forgotten   not measured: the test has the whq fixture and "
                "measured nothing with it"
            )
        ]
    )


def test_a_cancelled_window_is_left_at_once_and_not_taken_for_zero(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests(
        """
        import asyncio
        import threading
        import pytest

        @pytest.mark.asyncio
        async def test_timeout(whq):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    async with whq.measure():
                        await asyncio.sleep(10)
            assert [thread.name for thread in threading.enumerate() if "whq" in thread.name] == []
        """
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_timeout"]
    assert (record["valid"], record["energy_j"], record["queries"]) == (False, None, 0)


def test_calls_that_are_awaited_have_inputs_of_their_own(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_varied(whq, client):
            prompts = iter("abcdefgh")
            reply = await whq(client.achat, vary=prompts)
            assert (client.calls, reply["echo"]) == (6, "f")

        @pytest.mark.asyncio
        async def test_ended(whq, client):
            await whq(client.achat, vary=iter("ab"))

        def test_hidden_coroutine(whq, client):
            import asyncio
            reply = asyncio.run(whq(lambda prompt: client.achat(prompt), vary="abcdefgh".__iter__()))
            assert (client.calls, reply["echo"]) == (6, "f")
        """
    )
    result = project.run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E * the inputs ended after 2, warming up included, and one more is wanted.*"]
    )
    result = project.run("--whq-disable")
    result.assert_outcomes(failed=2, passed=1)  # One call each, with the first input.
