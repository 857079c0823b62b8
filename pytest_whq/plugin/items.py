"""What can be told of a test, and of a process, before anything is measured."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest


def is_measured(item: pytest.Item) -> bool:
    """Whether a test asks to be measured, by fixture or marker, or is a benchmark that is to be."""
    return _takes_fixture(item) or is_marked(item) or is_benchmarked(item)


def is_benchmarked(item: pytest.Item) -> bool:
    """Whether a test has the ``benchmark`` fixture and that is to be measured."""
    names = getattr(item, "fixturenames", ())
    return ("benchmark" in names or "codspeed_benchmark" in names) and _measures_benchmarks(item.config)


def _measures_benchmarks(config: pytest.Config) -> bool:
    if config.getoption("whq_benchmark") is None and config.getini("whq_benchmark") is None:
        return False
    # Not imported before: this file is, by every session.
    from pytest_whq.plugin.given import flag_of

    return flag_of(config, "whq_benchmark")


def _takes_fixture(item: pytest.Item) -> bool:
    """Whether a test takes the ``whq`` of this package, not one of that name of the user's own."""
    if "whq" not in getattr(item, "fixturenames", ()):
        return False
    known: Any = getattr(item, "_fixtureinfo", None)
    definitions = getattr(known, "name2fixturedefs", {}).get("whq")
    return not definitions or definitions[-1].func.__module__.partition(".")[0] == __name__.partition(".")[0]


def is_marked(item: pytest.Item) -> bool:
    """Whether a test asks to be measured by a marker."""
    return any(mark.name in ("whq", "whq_budget") for mark in item.iter_markers())


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist, whose reports go to a controller."""
    return hasattr(config, "workerinput")


def line_of(item: pytest.Item) -> int | None:
    """The line on which a test begins, from 1 on; None where that is in another file than its node id's."""
    file, line, _ = item.location
    return None if line is None or file != item.nodeid.partition("::")[0] else line + 1


def params_of(item: pytest.Item) -> Mapping[str, str]:
    """The parameters of a test by their names, those that have a short text."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    texts = {name: _text_of_param(value) for name, value in params.items()}
    # A whole prompt stays out of the run file.
    return {name: text for name, text in texts.items() if text is not None and len(text) <= _LONGEST_PARAM}


_LONGEST_PARAM = 100


def _text_of_param(value: object) -> str | None:
    if value is None or isinstance(value, str | int | float | Enum):
        return str(value)
    # Of any other object, repr() may be another in each process.
    named = getattr(value, "__name__", None)
    return named if isinstance(named, str) else None
