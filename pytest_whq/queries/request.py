"""What the arguments of a call tell of its query before there is a reply."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pytest_whq.tokens import CallReader, call_reader
from pytest_whq.tokens.fields import count, field

_SAMPLES = ("n", "num_return_sequences")
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_new_tokens", "n_predict")


class Asked(NamedTuple):
    """``limit`` is the most output tokens that were asked for, if known.

    ``read`` reads the reply where only the call tells what is in it. ``samples`` of each prompt may come
    as so many replies in a list.
    """

    limit: int | None = None
    read: CallReader | None = None
    samples: int = 1


NOTHING_ASKED = Asked()


def asked_by(call: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]) -> Asked:
    """What ``call(*args, **kwargs)`` asks for."""
    call, args, kwargs = without_partials(call, args, kwargs)
    return Asked(output_limit(kwargs), call_reader(call, args, kwargs), _samples(args, kwargs))


def without_partials(
    call: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[Callable[..., object], Sequence[object], Mapping[str, object]]:
    """``call``, ``args`` and ``kwargs`` with what `functools.partial` has set as arguments, too."""
    while isinstance(call, functools.partial):
        args, kwargs, call = (*call.args, *args), {**call.keywords, **kwargs}, call.func
    return call, args, kwargs


def output_limit(arguments: Mapping[str, object]) -> int | None:
    """The most output tokens that keyword arguments of a call ask for, None where they do not say."""
    for name in _LIMITS:
        value = arguments.get(name)
        if type(value) is int and value > 0:
            return value
    return None


def _samples(args: Sequence[object], kwargs: Mapping[str, object]) -> int:
    """How many samples of each prompt a call asks for: by its own arguments, or its sampling parameters."""
    body = kwargs.get("json")
    holders = [kwargs, kwargs.get("sampling_params"), *args[1:2], body, field(body, "sampling_params")]
    for holder in holders:
        for name in _SAMPLES:
            if (value := count(holder, name)) is not None and value > 1:
                return value
    return 1
