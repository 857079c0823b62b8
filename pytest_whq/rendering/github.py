"""What GitHub shows beside a job: workflow commands that mark the test files that fail."""

from pytest_whq.model import Run
from pytest_whq.rendering.rows import Row, rows_of
from pytest_whq.rendering.words import one_line

_MOST = 10
"""GitHub shows so many annotations of a step, and drops the rest."""


def render(run: Run, *, level: str = "error", folder: str = "") -> str:
    """A command of ``level`` (``error``, ``warning``) for each test that fails a verdict, one to a line.

    ``folder`` is the way from the repository's root to that of the node ids, "" where they are the
    same. Empty where nothing fails; at most ten commands, of which the last one counts what is left.
    """
    # One that its author expects to fail fails no build.
    failing = [row for row in rows_of(run) if row.tone == "bad" and row.record.outcome != "xfailed"]
    shown = failing if len(failing) <= _MOST else failing[: _MOST - 1]
    lines = [_command(level, row, folder) for row in shown]
    if left := len(failing) - len(shown):
        lines.append(f"::{level} title=Energy::and {left} more tests fail")
    return "".join(f"{line}\n" for line in lines)


def _command(level: str, row: Row, folder: str) -> str:
    path = "/".join(part for part in (folder, row.record.test.partition("::")[0]) if part)
    text = "\n".join([row.name, *(f"{sentence}." for sentence in row.failures)])
    title = f"Energy: {row.verdict}"
    line = "" if row.record.line is None else f",line={row.record.line}"
    return f"::{level} file={_property(one_line(path))}{line},title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
