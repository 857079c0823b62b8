"""Each call of a measurement with the same input, or with one of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from bench import Bench, a_ledger
from calls import TOLD

from pytest_whq.calling.inputs import Inputs
from pytest_whq.calling.repeating import repeat, run
from pytest_whq.errors import WhqError
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.model import TokenCount


class Asked:
    """A call that notes its arguments."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.seen: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> TokenCount:
        self.seen.append((*args, kwargs) if kwargs else args)
        self.bench.call(0.5)
        return TOLD


def measured(ledger: Ledger, inputs: Inputs) -> None:
    run(repeat(ledger, ledger.instruments.meter(), inputs), ledger.clock, inputs.call)


def test_a_function_gives_each_call_its_own_last_argument() -> None:
    bench = Bench()
    call, numbers = Asked(bench), iter(range(100))
    inputs = Inputs(call, ("client",), {"n": 1}, vary=lambda: next(numbers))
    measured(a_ledger(bench, rounds=2, min_seconds=0), inputs)
    assert call.seen == [("client", number, {"n": 1}) for number in range(5)]


def test_a_list_begins_anew_and_an_iterator_goes_on() -> None:
    bench = Bench()
    call = Asked(bench)
    measured(a_ledger(bench, rounds=2, min_seconds=0), Inputs(call, vary=["a", "b"]))
    assert [prompt for (prompt,) in call.seen] == ["a", "b", "a", "b", "a"]
    call, inputs = Asked(bench), iter(range(100))
    for _ in range(2):
        measured(a_ledger(bench, rounds=1, min_seconds=0), Inputs(call, vary=inputs))
    assert [prompt for (prompt,) in call.seen] == list(range(6))


@pytest.mark.parametrize("as_function", [False, True])
def test_an_iterator_that_ends_is_an_error_and_no_failed_query(as_function: bool) -> None:
    bench = Bench()
    ledger, inputs = a_ledger(bench, rounds=9, min_seconds=0), iter("abcd")
    sentence = (
        r"^whq\(call, vary=...\): the inputs ended after 4, warming up included, and one more is wanted\."
    )
    with pytest.raises(WhqError, match=sentence):
        measured(ledger, Inputs(Asked(bench), vary=inputs.__next__ if as_function else inputs))
    assert (ledger.measurement.queries, ledger.measurement.failed_queries) == (3, 0)


def test_inputs_that_end_while_warming_up_leave_nothing_measured() -> None:
    bench = Bench()
    ledger = a_ledger(bench)
    with pytest.raises(WhqError, match="the inputs ended after 0"):
        measured(ledger, Inputs(Asked(bench), vary=[]))
    assert not ledger.has_measured


def test_an_error_of_the_function_passes_through_and_is_no_failed_query() -> None:
    bench = Bench()
    ledger, numbers = a_ledger(bench), iter(range(100))

    def make() -> int:
        if (number := next(numbers)) == 3:
            raise OSError("no more prompts")
        return number

    with pytest.raises(OSError, match="no more prompts"):
        measured(ledger, Inputs(Asked(bench), vary=make))
    assert (ledger.measurement.queries, ledger.measurement.failed_queries) == (2, 0)


async def prompts_later() -> Any:
    yield "a"


async def prompt_later() -> str:
    return "a"


def prompts_from_1() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("vary", "what"),
    [
        ("Say hi.", "not str"),
        ({"a": 1}, "not dict"),
        (3, "not int"),
        (prompts_later(), "not what must be awaited"),
        (prompt_later, "not what must be awaited"),
        (prompts_from_1, "not a generator function: call it"),
    ],
)
def test_what_gives_no_inputs_is_refused(vary: Any, what: str) -> None:
    with pytest.raises(WhqError, match=f"takes a function that makes an input.* {what}"):
        Inputs(print, vary=vary)


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_call_that_asks_the_same_again_is_noted(rounds: int) -> None:
    """Warming up asks it, too."""
    bench = Bench()
    ledger = a_ledger(bench, rounds=rounds, min_seconds=0)
    measured(ledger, Inputs(Asked(bench), ("Say hi.",)))
    [note] = ledger.measurement.notes
    assert note.startswith("every query asked what was asked before")


@pytest.mark.parametrize("vary", [lambda: object(), map(str, range(100))])
def test_inputs_that_differ_or_are_unknown_are_not_noted(vary: Any) -> None:
    bench = Bench()
    ledger = a_ledger(bench, rounds=2, min_seconds=0)
    measured(ledger, Inputs(Asked(bench), vary=vary))
    assert ledger.measurement.notes == ()


@pytest.mark.parametrize(("max_cached", "is_more"), [(0.4, True), (0.5, False)])
def test_a_plan_may_limit_cached_input(max_cached: float, is_more: bool) -> None:
    bench = Bench()
    ledger = a_ledger(bench, rounds=2, max_cached=max_cached, min_seconds=0)

    def cached(prompt: str) -> TokenCount:
        bench.call(0.5)
        return TokenCount(10, 5, 5)

    measured(ledger, Inputs(cached, ("Say hi.",)))
    assert ledger.measurement.has("cached_input") == is_more
    assert ledger.measurement.valid != is_more
