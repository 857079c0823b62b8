"""The types that users get: mypy checks this file, and running it changes nothing of that."""

from collections.abc import Coroutine
from typing import Any, assert_type

from measured_project import MeasuredProject

from pytest_whq import Whq


def chat(prompt: str, *, limit: int = 1) -> list[str]:
    return [prompt] * limit


async def achat(prompt: str) -> str:
    return prompt


class OnlyChecked:
    """What mypy sees, and nobody runs."""

    def calls(self, whq: Whq) -> None:
        assert_type(whq(chat, "Say hi.", limit=2), list[str])
        _ = assert_type(whq(achat, "Say hi."), Coroutine[Any, Any, str])
        assert_type(whq(chat, vary=["Say hi."], limit=2), list[str])
        whq(chat, 3)  # type: ignore[call-overload]
        whq(chat, "Say hi.", size=2)  # type: ignore[call-arg]

    def wrapped(self, whq: Whq) -> None:
        assert_type(whq.wrap(chat)("Say hi.", limit=2), list[str])
        _ = assert_type(whq.wrap(achat)("Say hi."), Coroutine[Any, Any, str])

    def windows(self, whq: Whq) -> None:
        with whq.measure() as window:
            assert_type(window.record(chat("Say hi."), ok=True), list[str])
            window.record(input_tokens=1, output_tokens=2)
        assert_type(window.measurement.wh_per_query, float | None)

    async def async_windows(self, whq: Whq) -> None:
        async with whq.measure() as window:
            assert_type(window.record(await achat("Say hi.")), str)


def test_the_fixture_is_what_the_annotation_says(project: MeasuredProject) -> None:
    project.tests(
        """
        from pytest_whq import Whq

        def test_chat(whq: Whq):
            assert type(whq) is Whq
        """
    )
    project.run().assert_outcomes(passed=1)
