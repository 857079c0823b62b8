"""A test that has only a marker: all of it is one query."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_whq.measuring.ledger import Ledger
from pytest_whq.plugin.fixture import whq_of_test


def as_one_query(ledger: Ledger, error_of: Callable[[], BaseException | None]) -> Generator[None, Any, Any]:
    """Let the test run in a window, as its one query."""
    with whq_of_test(ledger).measure() as window:
        try:
            result = yield
        except (Exception, pytest.fail.Exception):
            window.record(ok=False)
            raise
        error = error_of()
        if not isinstance(error, pytest.skip.Exception):
            window.record(ok=error is None)
    return result


def kept_error(item: pytest.Item) -> BaseException | None:
    """What a ``unittest.TestCase`` has raised: pytest keeps it there for the report, unseen by hooks."""
    kept = getattr(item, "_excinfo", None)
    return kept[-1].value if kept else None
