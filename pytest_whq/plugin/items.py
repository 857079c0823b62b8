"""What can be told of a test, and of a process, before anything is measured."""

import pytest


def is_measured(item: pytest.Item) -> bool:
    """Whether a test asks to be measured, by fixture or marker."""
    return "whq" in getattr(item, "fixturenames", ()) or is_marked(item)


def is_marked(item: pytest.Item) -> bool:
    """Whether a test asks to be measured by a marker."""
    return any(mark.name in ("whq", "whq_budget") for mark in item.iter_markers())


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist, whose reports go to a controller."""
    return hasattr(config, "workerinput")
