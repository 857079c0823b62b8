"""Looking into replies of any make: keys and attributes alike, and only counts that are counts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeVar

from pytest_whq.model import TokenCount

Reply = TypeVar("Reply")
Found = TypeVar("Found")

_ABSENT = object()

MOST_TOKENS = 10**9
"""No query has more: a count above says nothing but that its server has none."""

NOT_TOLD = TokenCount()
"""What a reader returns for a reply that it knows and that tells no count."""


def field(holder: object, name: str) -> object:
    """The item ``name`` of a dict, else the attribute ``name``; None where there is none."""
    if isinstance(holder, dict):
        return holder.get(name)
    extra = getattr(holder, "__pydantic_extra__", _ABSENT)
    if extra is not None and not isinstance(extra, dict):
        return getattr(holder, name, None)
    # A pydantic model takes microseconds to say that it lacks an attribute, and most readers ask in vain.
    value = vars(holder).get(name)
    return extra.get(name) if extra and value is None else value


def quietly(look: Callable[[Reply], Found | None], reply: Reply) -> Found | None:
    """What ``look`` finds in ``reply``; None where looking into it raises."""
    try:
        return look(reply)
    except Exception:  # noqa: BLE001 -- replies are users' objects: a property of theirs may raise anything
        return None


def is_mock(reply: object) -> bool:
    """Whether ``reply`` is a mock, which has whatever it is asked for."""
    # By name: beside the one of the standard library there is the package that it came from. Not by what it
    # answers: a mock with a spec has but the names of that.
    return any(base.__name__ == "NonCallableMock" for base in type(reply).__mro__)


def count(holder: object, name: str) -> int | None:
    """The field ``name`` where it is a count: a whole number that a query can have, and not a bool."""
    value = field(holder, name)
    # Mocks answer to every name, and JSON holds strings and true: none of them is a count. What went
    # through a JavaScript server or a data frame may be a float.
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def length(value: object) -> int | None:
    """How many tokens a sequence of token ids holds; None for what is no sequence, or is text."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return len(value)
    return None


def token_count(
    input_tokens: int | None,
    output_tokens: int | None,
    cached: int | None = None,
    reasoning: int | None = None,
) -> TokenCount:
    """A TokenCount whose parts fit in their wholes: a part larger than its whole is not told.

    No prompt has 0 tokens: such an input stands for "not told", and so does an output of 0 beside it.
    """
    if not input_tokens:
        input_tokens, output_tokens = None, output_tokens or None
    if cached is not None and (input_tokens is None or cached > input_tokens):
        cached = None
    if reasoning is not None and (output_tokens is None or reasoning > output_tokens):
        reasoning = None
    return TokenCount(input_tokens, output_tokens, cached, reasoning)


def merge(
    left: TokenCount, right: TokenCount, how: Callable[[int | None, int | None], int | None]
) -> TokenCount:
    """Each field of two counts made one by ``how``."""
    return TokenCount(
        how(left.input_tokens, right.input_tokens),
        how(left.output_tokens, right.output_tokens),
        how(left.cached_input_tokens, right.cached_input_tokens),
        how(left.reasoning_tokens, right.reasoning_tokens),
    )


def without_output(count: TokenCount) -> TokenCount:
    """``count`` with its output not told."""
    return replace(count, output_tokens=None, reasoning_tokens=None)


def sum_tokens(counts: Sequence[TokenCount]) -> TokenCount:
    """The tokens of several queries together: not told where one does not tell, or where there are none."""
    if not counts:
        return NOT_TOLD
    return reduce(lambda left, right: merge(left, right, _sum), counts)


def one_prompt(samples: Sequence[TokenCount]) -> TokenCount:
    """The tokens of several samples of one prompt, each of which tells the whole input."""
    return replace(
        samples[0],
        output_tokens=sum_tokens(samples).output_tokens,
        reasoning_tokens=sum_tokens(samples).reasoning_tokens,
    )


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right
