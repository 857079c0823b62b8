"""What was accepted into a baseline and what was not, as text."""

from collections.abc import Collection, Sequence

from pytest_whq.model.baseline import Acceptance
from pytest_whq.rendering.names import first_few, short_names
from pytest_whq.rendering.words import one_line
from pytest_whq.units import number_of


def render(acceptance: Acceptance, path: str) -> str:
    """How many tests the baseline at ``path`` took, then a line for each reason that kept some out."""
    lines = [f"Accepted {_tests(acceptance.accepted)} into {one_line(path)}."]
    by_reason: dict[str, list[str]] = {}
    for test, why in acceptance.left_out.items():
        by_reason.setdefault(why, []).append(test)
    for why, tests in by_reason.items():
        lines.append(f"Left out {_tests(tests)}: {one_line(why)} ({named(tests)}).")
    return "\n".join(lines)


def named(tests: Sequence[str]) -> str:
    """The names of the first few of ``tests``, and how many more there are."""
    return first_few(short_names(tests))


def _tests(tests: Collection[str]) -> str:
    return number_of(len(tests), "test") if tests else "no tests"
