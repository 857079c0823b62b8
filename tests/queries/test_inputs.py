"""Equal inputs are known again, whatever objects they are, as far as they are plain data."""

from typing import Any

import pytest

from pytest_whq.queries.inputs import InputLog, fingerprint
from pytest_whq.queries.tally import Tally


def messages(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Say hi.", "Say ho."),
        (messages("Say hi."), messages("Say ho.")),
        ([1, 2, 3], [1, 2, 4]),
        ({"a": "b"}, {"a": "c"}),
        ({"a": "b"}, {"b": "a"}),
    ],
)
def test_equal_inputs_have_equal_numbers_and_others_do_not(one: Any, other: Any) -> None:
    again = eval(repr(one))  # An equal object that is not the same.
    assert fingerprint((one,), {"n": 1}) == fingerprint((again,), {"n": 1}) is not None
    assert fingerprint((one,), {}) != fingerprint((other,), {})
    assert fingerprint((one,), {}) != fingerprint((), {"prompt": one})


def endless() -> list[Any]:
    found: list[Any] = ["Say hi."]
    found.append(found)
    return found


@pytest.mark.parametrize("value", [object(), [object()], {"image": object()}, endless(), {1, 2}])
def test_what_is_not_plain_data_is_unknown(value: Any) -> None:
    assert fingerprint((value,), {}) is None


@pytest.mark.parametrize("args", [(), (3,), (1.5, None)])
def test_a_call_without_a_text_or_token_ids_tells_nothing(args: Any) -> None:
    assert fingerprint(args, {"stream": True}) is None


def test_what_was_asked_before_is_counted() -> None:
    log = InputLog()
    for number in (1, 2, 1, 1):
        log.add(number)
    assert (len(log), log.repeated) == (4, 2)
    log.add_before({2, 9})
    assert log.repeated == 3


def test_rounds_are_counted_together_and_windows_around_count_along() -> None:
    around = Tally()
    rounds = [Tally(around), Tally(around)]
    for one in rounds:
        one.ask(7)
        one.ask(None)
    every = Tally()
    for one in rounds:
        every.include(one)
    assert (len(every.inputs), every.inputs.repeated) == (2, 1)
    assert (len(around.inputs), around.inputs.repeated) == (2, 1)
