"""What records a call stands in for whatever is called, and is that for all who look at it."""

import asyncio
import copy
import functools
import inspect
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from open_window import OpenWindow

from pytest_whq.calling.recording import recording

REPLY = {"object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


class Pipeline:
    """An object that is called, as those of transformers."""

    def __init__(self) -> None:
        self.device = "cpu"

    def __call__(self, prompt: str) -> dict[str, Any]:
        return REPLY

    def __len__(self) -> int:
        return 3

    def to(self, device: str) -> None:
        self.device = device

    @property
    def on(self) -> str:
        return f"on {self.device}"


def chat(prompt: str, tokens: int = 1) -> dict[str, Any]:
    """Answer."""
    return REPLY


def stream(prompt: str) -> Iterator[str]:
    yield prompt


async def achat(prompt: str) -> dict[str, Any]:
    return REPLY


async def astream(prompt: str) -> AsyncIterator[str]:
    yield prompt


class Bench(OpenWindow):
    """A window that is open, and records what a test calls."""

    def record(self, call: Callable[..., Any]) -> Any:
        return recording(self.ledger, lambda: self.meter, call)

    @property
    def queries(self) -> int:
        return self.meter.tally.queries


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_object_that_is_called_keeps_what_it_is_and_what_is_set_reaches_it(bench: Bench) -> None:
    pipeline = Pipeline()
    recorded = bench.record(pipeline)
    recorded.to("cuda")
    assert (pipeline.device, recorded.on, len(recorded)) == ("cuda", "on cuda", 3)
    recorded.device = "mps"
    assert pipeline.device == "mps"
    assert isinstance(recorded, Pipeline)
    assert recorded.__doc__ == Pipeline.__doc__
    assert "to" in dir(recorded)
    assert recorded("x") is REPLY
    assert bench.queries == 1


def test_a_mock_that_is_called_can_still_be_asked_how(bench: Bench) -> None:
    mock = MagicMock(return_value=REPLY)
    bench.record(mock)("x")
    mock.assert_called_once_with("x")
    bench.record(mock).assert_called_once_with("x")
    assert bench.queries == 1


@pytest.mark.parametrize("call", [chat, stream, achat, astream, Pipeline().to])
def test_a_function_is_of_the_kind_it_was(bench: Bench, call: Callable[..., Any]) -> None:
    recorded = bench.record(call)
    asked = (
        inspect.isfunction,
        inspect.ismethod,
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.signature,
        inspect.getdoc,
        inspect.get_annotations,
    )
    assert [ask(recorded) for ask in asked] == [ask(call) for ask in asked]
    names = ("__name__", "__qualname__", "__module__")
    assert [getattr(recorded, name) for name in names] == [getattr(call, name) for name in names]


def test_a_method_tells_whose_it_is(bench: Bench) -> None:
    pipeline = Pipeline()
    recorded = bench.record(pipeline.to)
    assert recorded.__self__ is pipeline
    assert recorded.__func__ is Pipeline.to


def test_in_a_class_a_function_becomes_a_method_and_nothing_else_does(bench: Bench) -> None:
    class App:
        ask = bench.record(lambda self, prompt: (self, prompt))
        partial = bench.record(functools.partial(chat, tokens=2))
        pipeline = bench.record(Pipeline())

    app = App()
    assert app.ask("x") == (app, "x")
    assert App.ask(app, "x") == (app, "x")
    assert app.partial("x") is app.pipeline("x") is REPLY
    assert bench.queries == 4


def test_copies_record_too_and_what_is_pickled_is_the_object_itself(bench: Bench) -> None:
    recorded = bench.record(Pipeline())
    for copied in (copy.copy(recorded), copy.deepcopy([recorded])[0]):
        copied.to("cuda")
        copied("x")
    assert recorded.device == "cpu"
    assert bench.queries == 2
    assert type(pickle.loads(pickle.dumps(recorded))) is Pipeline
    assert pickle.loads(pickle.dumps(bench.record(chat))) is chat


def test_a_coroutine_function_is_recorded_where_it_is_awaited(bench: Bench) -> None:
    async def asked() -> None:
        answer = bench.record(achat)("x")
        assert inspect.iscoroutine(answer)
        assert bench.queries == 0
        assert await answer is REPLY

    asyncio.run(asked())
    assert bench.queries == 1


def test_what_records_already_is_not_wrapped_again(bench: Bench) -> None:
    recorded = bench.record(Pipeline())
    assert bench.record(recorded) is recorded
