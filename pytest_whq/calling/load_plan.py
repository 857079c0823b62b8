"""What a load sends, how much of it and when: the plan of `whq.load`, checked, and its jobs one by one."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from pytest_whq.errors import WhqError

_END: Any = object()


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How `whq.load` sends its inputs.

    At most ``concurrency`` queries are in flight. Without ``rate`` each lane's query follows its last;
    with it queries arrive at random, ``rate`` a second on average (a Poisson process of ``seed``). It
    ends with the inputs, after ``queries`` or after ``seconds`` of steady state, whichever is first;
    where one of these is given, inputs that can be iterated again are.
    """

    concurrency: int
    rate: float | None = None
    queries: int | None = None
    seconds: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("concurrency", "queries"):
            value = getattr(self, name)
            if (value is not None or name == "concurrency") and not (type(value) is int and value >= 1):
                raise WhqError(f"whq.load: {name} must be a whole number of at least 1, not {value!r}.")
        for name, unit in (("rate", "queries per second"), ("seconds", "seconds")):
            value = getattr(self, name)
            if value is not None and not _is_positive(value):
                raise WhqError(f"whq.load: {name} must be a number of {unit} above 0, not {value!r}.")


class Job(NamedTuple):
    """One input and its number from 0 on; ``due_s`` is when it arrives after the start, if not at once."""

    number: int
    item: Any
    due_s: float
    last: bool


class Jobs:
    """The jobs of a plan in their order. An iterator of inputs is read one ahead, never further."""

    def __init__(self, inputs: Iterable[Any], plan: LoadPlan) -> None:
        self._items = islice(endlessly(inputs) if _again(inputs, plan) else iter(inputs), plan.queries)
        self._arrivals = _poisson(plan.rate, plan.seed)
        self._number = 0
        self._next = next(self._items, _END)
        if self._next is _END:
            raise WhqError("whq.load: there are no inputs to send.")
        self.first = self._next

    @property
    def exhausted(self) -> bool:
        """Whether all jobs are taken."""
        return self._next is _END

    def take(self) -> Job:
        """The next job; there must be one."""
        item, self._next = self._next, next(self._items, _END)
        number, self._number = self._number, self._number + 1
        return Job(number, item, next(self._arrivals), self._next is _END)


def _again(inputs: Iterable[Any], plan: LoadPlan) -> bool:
    return (plan.queries is not None or plan.seconds is not None) and iter(inputs) is not inputs


def endlessly(inputs: Iterable[Any]) -> Iterator[Any]:
    """``inputs`` over and over, but none where there are none."""
    empty = False
    while not empty:
        empty = True
        for item in inputs:
            empty = False
            yield item


def _poisson(rate: float | None, seed: int) -> Iterator[float]:
    """Seconds from the start to each arrival, the first at once; all at once without a rate."""
    random, due_s = Random(seed), 0.0
    while True:
        yield due_s
        if rate is not None:
            due_s += random.expovariate(rate)


def _is_positive(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value > 0
