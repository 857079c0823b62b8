"""Sentences that differ in their numbers only, as one with the range of each number."""

import re
from collections.abc import Mapping, Sequence

_FEW = 3
"""So many are told one by one, each with its own numbers."""

_NUMBER = re.compile(r"(?<![\w.,-])[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?!\w|[.,-]\w)")
"""A number that stands alone: none of a date, a version or a name such as GPU-1."""


def merged(said: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Sentence -> of which tests it is, where more than a few alike have become one.

    ``3 of 20 queries ...`` and others like it are ``1–3 of 20–40 queries ...``.
    """
    alike: dict[str, list[str]] = {}
    for sentence in said:
        alike.setdefault(_NUMBER.sub("#", sentence), []).append(sentence)
    found: dict[str, list[str]] = {}
    for sentences in alike.values():
        if len(sentences) > _FEW:
            tests = dict.fromkeys(test for sentence in sentences for test in said[sentence])
            found[_as_one(sentences)] = list(tests)
        else:
            found |= {sentence: list(said[sentence]) for sentence in sentences}
    return found


def _as_one(sentences: Sequence[str]) -> str:
    columns = iter(zip(*map(_NUMBER.findall, sentences), strict=True))
    return _NUMBER.sub(lambda _: _range(next(columns)), sentences[0])


def _range(numbers: Sequence[str]) -> str:
    lowest, highest = min(numbers, key=_value), max(numbers, key=_value)
    return lowest if lowest == highest else f"{lowest}–{highest}"


def _value(number: str) -> float:
    return float(number.replace(",", ""))
