"""Runs of a history, with the Wh/query that a test states."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from samples import a_record, a_run

from pytest_whq.model import Commit, Run
from pytest_whq.model.history import KeptRun, kept_of

CHAT = "tests/test_chat.py::test_short"


def a_day(number: int, tests: Mapping[str, float | None]) -> Run:
    """A run of the ``number``-th day of November, with so many Wh per query of each test."""
    records = [
        a_record(test, energy_j=None if value is None else value * 3600 * 20) for test, value in tests.items()
    ]
    commit = Commit(f"{number:02}c0ffee", "main", dirty=False)
    return replace(a_run(*records), created=f"2026-11-{number:02}T08:00:00Z", commit=commit)


def kept_runs(values: Sequence[float | None], test: str = CHAT) -> list[KeptRun]:
    """A run a day with these Wh per query of one test."""
    return [kept_of(a_day(number, {test: value})) for number, value in enumerate(values, start=1)]
