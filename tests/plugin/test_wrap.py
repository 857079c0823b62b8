import pytest
from measured_project import MeasuredProject

APP = """
class App:
    def __init__(self, client):
        self.client = client

    def answer(self, question):
        self.client.chat("Think.")
        return "answer to " + self.client.chat(question)["echo"]

    async def aanswer(self, question):
        await self.client.achat("Think.")
        return "answer to " + (await self.client.achat(question))["echo"]
"""


def test_calls_deep_inside_record_themselves_in_the_open_window(project: MeasuredProject) -> None:
    project.tests(
        APP
        + """
def test_deep(whq, client):
    client.chat = whq.wrap(client.chat)
    app = App(client)
    app.answer("before")
    with whq.measure():
        assert app.answer("why?") == "answer to why?"
    app.answer("after")
"""
    )
    project.run().assert_outcomes(passed=1)
    record = project.records["test_deep"]
    assert (record["queries"], record["input_tokens"], record["output_tokens"]) == (2, 200, 100)
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=2e-3)


def test_async_calls_record_themselves_when_they_are_done(project: MeasuredProject) -> None:
    project.tests(
        APP
        + """
import asyncio
import inspect
import pytest

@pytest.mark.asyncio
async def test_deep(whq, client):
    client.achat = whq.wrap(client.achat)
    assert inspect.iscoroutinefunction(client.achat)
    app = App(client)
    await app.aanswer("before")
    async with whq.measure():
        answers = await asyncio.gather(app.aanswer("why?"), app.aanswer("how?"))
    assert answers == ["answer to why?", "answer to how?"]

@pytest.mark.asyncio
async def test_decorated(whq, client):
    achat = client.achat
    client.achat = whq.wrap(lambda prompt: achat(prompt))
    async with whq.measure():
        await client.achat("Say hi.")
"""
    )
    project.run().assert_outcomes(passed=2)
    deep, decorated = project.records.values()
    assert (deep["queries"], deep["input_tokens"]) == (4, 400)
    assert (decorated["queries"], decorated["input_tokens"]) == (1, 100)


def test_a_wrapped_call_that_fails_is_a_failed_query_and_its_error_passes(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_refused(whq, client):
            fail = whq.wrap(client.fail)
            with pytest.raises(ConnectionError):
                fail("outside")
            with whq.measure():
                with pytest.raises(ConnectionError):
                    fail("inside")
                whq.wrap(client.chat)("Say hi.")

        @pytest.mark.asyncio
        async def test_refused_later(whq, client):
            async def afail():
                client.fail("Say hi.")

            async with whq.measure():
                with pytest.raises(ConnectionError):
                    await whq.wrap(afail)()

        def test_traceback(whq, client):
            with whq.measure():
                whq.wrap(client.fail)("Say hi.")
        """
    )
    result = project.run("--tb=short")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py:23: in test_traceback",
            '    whq.wrap(client.fail)("Say hi.")',
            "conftest.py:*: in fail",
        ],
        consecutive=True,
    )
    refused, later, _ = project.records.values()
    assert (refused["queries"], refused["failed_queries"]) == (1, 1)
    assert (later["queries"], later["failed_queries"]) == (0, 1)


def test_a_measured_call_is_one_query_however_many_wrapped_calls_it_makes(project: MeasuredProject) -> None:
    project.tests(
        APP
        + """
def test_answer(whq, client):
    client.chat = whq.wrap(client.chat)
    whq(App(client).answer, "why?")

def test_itself(whq, client):
    whq(whq.wrap(client.chat), "Say hi.")

def test_in_a_window(whq, client):
    with whq.measure():
        whq(whq.wrap(client.chat), "Say hi.")
"""
    )
    project.run().assert_outcomes(passed=3)
    # In a window, the warm-up call is a query of that window.
    assert [record["queries"] for record in project.records.values()] == [5, 5, 6]


def test_a_wrapped_call_keeps_its_name_and_signature(project: MeasuredProject) -> None:
    project.tests(
        """
        import inspect

        def test_name(whq, client):
            wrapped = whq.wrap(client.chat)
            assert wrapped.__name__ == "chat"
            assert inspect.signature(wrapped) == inspect.signature(client.chat)
        """
    )
    project.run().assert_outcomes(passed=1)


def test_a_reply_that_was_recorded_as_it_came_counts_once_when_recorded_by_hand(
    project: MeasuredProject,
) -> None:
    project.tests(
        """
        def test_both(whq, client):
            chat = whq.wrap(client.chat)
            with whq.measure() as window:
                assert window.record(chat("Say hi."))["echo"] == "Say hi."
                replies = [chat("a"), chat("b")]
                assert window.record(replies) is replies
                window.record([chat("c"), client.chat("d")])
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_both"]["queries"] == 5


def test_a_recorded_call_is_one_query_whatever_it_calls_itself(project: MeasuredProject) -> None:
    project.tests(
        APP
        + """
import asyncio
import pytest

def test_nested(whq, client):
    client.chat = whq.wrap(client.chat)
    answer = whq.wrap(App(client).answer)
    with whq.measure():
        answer("why?")
        client.chat("once more")

@pytest.mark.asyncio
async def test_async(whq, client):
    client.achat = whq.wrap(client.achat)
    answer = whq.wrap(App(client).aanswer)
    async with whq.measure():
        await asyncio.gather(answer("why?"), answer("how?"), client.achat("once more"))
"""
    )
    project.run().assert_outcomes(passed=2)
    assert [record["queries"] for record in project.records.values()] == [2, 3]


def test_a_future_stays_what_it_is_and_its_result_is_recorded(project: MeasuredProject) -> None:
    project.tests(
        """
        import asyncio
        import pytest
        from concurrent.futures import Future

        def test_threads(whq, client):
            future = Future()
            with whq.measure():
                assert whq.wrap(lambda: future)() is future
                future.set_result(client.chat("Say hi."))
                refused = Future()
                whq.wrap(lambda: refused)()
                refused.set_exception(ConnectionError())
                whq.wrap(lambda: Future())()

        @pytest.mark.asyncio
        async def test_tasks(whq, client):
            ask = whq.wrap(lambda: asyncio.ensure_future(client.achat("Say hi.")))
            async with whq.measure():
                task = ask()
                assert isinstance(task, asyncio.Task)
                await task
        """
    )
    project.run().assert_outcomes(passed=2)
    threads, tasks = project.records.values()
    assert (threads["queries"], threads["failures"]) == (1, {"ConnectionError": 1, "unfinished call": 1})
    assert (tasks["queries"], tasks["input_tokens"]) == (1, 100)


def test_what_a_context_manager_gives_is_the_reply(project: MeasuredProject) -> None:
    project.tests(
        """
        import contextlib

        def test_manager(whq, client):
            @contextlib.contextmanager
            def ask():
                yield client.chat("Say hi.")

            with whq.measure(), whq.wrap(ask)() as reply:
                assert reply["echo"] == "Say hi."
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records["test_manager"]["output_tokens"] == 50
