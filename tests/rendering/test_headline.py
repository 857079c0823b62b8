"""What a reader is told first."""

from samples import a_record, a_run

from pytest_whq.model import Gap
from pytest_whq.rendering.headline import headline
from pytest_whq.rendering.rows import rows_of


def test_interrupted_tests_are_counted_and_no_verdict_stands_for_them() -> None:
    run = a_run(a_record("a"), a_record("b", outcome="interrupted"), gaps=(Gap("interrupted_before", "c"),))
    assert headline(run, rows_of(run)) == ("unsure", "2 interrupted", "2 measured")
    assert {row.name: (row.verdict, row.tone) for row in rows_of(run)} == {
        "a": ("", "plain"),
        "b": ("interrupted", "unsure"),
    }
