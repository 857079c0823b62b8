"""What is said of each series of a history, in plain text that a page still escapes."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_whq.history.series import ChangePoint, Series
from pytest_whq.model import Commit, format_metric
from pytest_whq.model.history import KeptRun
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import format_percent, number_of


@dataclass(frozen=True, slots=True)
class Row:
    """A series in words; what there is nothing to say of is empty.

    ``grown`` is how much more the last level is than the first, ``used`` the share of the budget.
    """

    series: Series
    name: str
    latest: str
    since_first: str
    grown: float | None
    last_change: str
    used: float | None
    rig: str


def rows_of(found: Sequence[Series]) -> list[Row]:
    """A row for each series; the rig stands with those that share their test with another."""
    names = short_names([series.test for series in found])
    return [_row(series, name) for series, name in zip(found, names, strict=True)]


def _row(series: Series, name: str) -> Row:
    levels = series.levels if series.points else []
    latest = series.points[-1] if series.points else None
    value = None if latest is None else latest.wh_per_query
    used = None if latest is None or not latest.budget_wh or not value else value / latest.budget_wh
    grown = levels[-1][2] / levels[0][2] - 1 if series.changes else None
    return Row(
        series=series,
        name=name,
        latest=_wh(value) if value else "not measured",
        since_first="" if grown is None else format_percent(grown, signed=True),
        grown=grown,
        last_change="" if not series.changes else change_phrase(series.changes[-1]),
        used=used,
        rig=rig_phrase(series),
    )


def rig_phrase(series: Series) -> str:
    """On what a series was measured: ``NVIDIA H200, 700 W limit · nvml counter``."""
    if not series.points:
        return ""
    # An estimate is both, and said once.
    method = " ".join(dict.fromkeys(part for part in (series.rig.source, series.method) if part))
    ids = ", ".join(one_line(device.id) for device in series.rig.devices)
    return " · ".join(part for part in (devices_phrase(series.rig.devices), ids, one_line(method)) if part)


def change_phrase(change: ChangePoint) -> str:
    """A change, where it began, and when: ``+5.1 % at c0ffee1234 on main, 2026-11-20``."""
    return (
        f"{format_percent(change.change, signed=True)}{_at(change.commit)}, {one_line(change.created[:10])}"
    )


def levels_phrase(change: ChangePoint) -> str:
    """The levels on both sides: ``1.84 mWh to 1.93 mWh``."""
    return f"{_wh(change.before_wh)} to {_wh(change.after_wh)}"


def _at(commit: Commit | None) -> str:
    if commit is None:
        return ""
    on = "" if commit.branch is None else f" on {one_line(commit.branch)}"
    return f" at {one_line(commit.id[:10])}{on}{', with changes' if commit.dirty else ''}"


def _wh(value: float) -> str:
    return format_metric("wh_per_query", value)


def budget_used(row: Row) -> str:
    """How much of its budget the latest run used."""
    return "" if row.used is None else format_percent(row.used)


COLUMNS = (
    Column[Row]("runs", lambda row: f"{len(row.series.points):,}"),
    # Of the test, on whatever rig: what the latest figure does not tell.
    Column[Row]("without figure", lambda row: f"{row.series.unmeasured:,}" if row.series.unmeasured else ""),
    Column[Row]("latest", lambda row: row.latest),
    Column[Row]("since first", lambda row: row.since_first),
    Column[Row]("budget used", budget_used),
    Column[Row]("last change", lambda row: row.last_change, "left"),
)
"""The columns beside the name of the test."""


def summary(runs: Sequence[KeptRun], found: Sequence[Series]) -> str:
    """How many runs of how many tests there are, and from when to when."""
    tests = len({series.test for series in found})
    days = sorted(run.created[:10] for run in runs)
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return f"{number_of(len(runs), 'run')} of {number_of(tests, 'test')}, {one_line(when)}"
