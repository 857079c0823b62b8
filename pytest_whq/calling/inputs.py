"""The arguments of a call that is measured again and again: the same each time, or of its own input each."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_whq.calling.load_plan import endlessly
from pytest_whq.errors import WhqError
from pytest_whq.queries.inputs import prompt_of
from pytest_whq.queries.request import asked_by

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.

Vary = Callable[[], Any] | Iterable[Any]
"""What gives inputs: a function that makes one, an iterator, or what can be iterated again and again."""


class Inputs:
    """What ``call`` is called with: `draw` what the next call asks, then `call`.

    With ``vary`` each call has an input of its own, after ``args``. ``asked`` and ``prompt`` are of what was
    drawn last, ``drawn`` is whether it is there, ``prompt`` None where the arguments do not tell it.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        vary: Vary | None = None,
    ) -> None:
        self._call = call
        self._fixed = tuple(args)
        self._kwargs = kwargs or {}
        self._next = None if vary is None else _next_of(vary)
        self._number = 0
        self.drawn = vary is None
        self._look_at(self._fixed)

    def draw(self) -> None:
        """Get ready what the next call asks; WhqError where the inputs have come to an end."""
        if self._next is None:
            return
        self.drawn = False
        try:
            item = self._next()
        except StopIteration:
            raise WhqError(
                f"whq(call, vary=...): the inputs ended after {self._number}, warming up included, and one "
                "more is wanted. Give a list, which begins anew, a function, or more inputs."
            ) from None
        self._number += 1
        self._look_at((*self._fixed, item))
        self.drawn = True

    def call(self) -> Any:
        """Make the call with what was drawn last."""
        __tracebackhide__ = True
        return self._call(*self._args, **self._kwargs)

    def _look_at(self, args: tuple[Any, ...]) -> None:
        self._args = args
        self.asked = asked_by(self._call, args, self._kwargs)
        self.prompt = prompt_of(self._call, args, self._kwargs)


def _next_of(vary: Vary) -> Callable[[], Any]:
    kind = type(vary)
    waits = inspect.iscoroutinefunction(vary) or hasattr(kind, "__aiter__")
    makes_iterators = inspect.isgeneratorfunction(vary)
    if not waits and not makes_iterators and not isinstance(vary, (str, bytes, Mapping)):
        if hasattr(kind, "__next__"):
            return functools.partial(next, vary)
        if callable(vary):
            return vary
        if isinstance(vary, Iterable):
            return functools.partial(next, endlessly(vary))
    what = (
        "what must be awaited"
        if waits
        else "a generator function: call it"
        if makes_iterators
        else kind.__name__
    )
    raise WhqError(
        "whq(call, vary=...) takes a function that makes an input, an iterator or a list of inputs, "
        f"such as vary=PROMPTS, not {what}."
    )


ASKS_NOTHING = Inputs(lambda: None)
"""Those of a call that has no arguments."""
