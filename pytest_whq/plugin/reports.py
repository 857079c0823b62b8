"""What pytest's reports of tests tell, and what is told in them."""

import pytest

from pytest_whq.model import Record, TestOutcome
from pytest_whq.rendering import junit


def add_properties(item: pytest.Item, report: pytest.TestReport, record: Record, source: str | None) -> None:
    """Let the JUnit file tell the figures of ``record``; of those of an earlier attempt nothing stays."""
    found = junit.properties(record, source)
    for holder in (item, report):
        kept = [(name, value) for name, value in holder.user_properties if not name.startswith(junit.PREFIX)]
        holder.user_properties[:] = [*kept, *found]


def place_at_test(report: pytest.TestReport, item: pytest.Item) -> None:
    """Let editors and annotations show a failing budget at its test, and not at a line of this file."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.path, crash.lineno = str(item.path), (report.location[1] or 0) + 1


def has_queries(record: Record) -> bool:
    """Whether there was anything to measure."""
    return bool(record.measurement.queries or record.measurement.failed_queries)


def outcome_of(report: pytest.TestReport) -> TestOutcome:
    """The outcome of the test that ``report`` is of."""
    if not hasattr(report, "wasxfail"):
        return report.outcome
    return "xpassed" if report.passed else "xfailed"
