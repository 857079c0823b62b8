"""The properties of JUnit."""

import pytest

from pytest_whq.model import Record
from pytest_whq.rendering import junit


def add_properties(item: pytest.Item, report: pytest.TestReport, record: Record, source: str | None) -> None:
    """Let the JUnit file tell the figures of ``record``; of those of an earlier attempt nothing stays."""
    found = junit.properties(record, source)
    for holder in (item, report):
        kept = [(name, value) for name, value in holder.user_properties if not name.startswith(junit.PREFIX)]
        holder.user_properties[:] = [*kept, *found]
