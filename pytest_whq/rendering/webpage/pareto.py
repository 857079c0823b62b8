"""The table of workloads as a page: Wh/query against interactivity, the best of each set-up joined."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pytest_whq.model import Record, Run
from pytest_whq.rendering.webpage.environment import page_of
from pytest_whq.rendering.webpage.points import colour_of
from pytest_whq.rendering.words import run_rig_phrase
from pytest_whq.rendering.workload_columns import COLUMNS, Column, headline, interactivity, workload

_WIDTH, _HEIGHT = 960, 450
_LEFT, _RIGHT, _TOP, _FOOT = 64, 944, 32, 410
_SAID = ("details", "interactivity", "latency", "measured", "modelled", "corrected", "ps5", "doubts")


class Mark(NamedTuple):
    """A line of the grid, and the number beside it."""

    place: float
    text: str


class Dot(NamedTuple):
    """A row: its place, whether it is modelled, and what is shown of it on hover."""

    x: float
    y: float
    is_modelled: bool
    said: tuple[str, ...]


class Group(NamedTuple):
    """What belongs on one line: a workload on one kind of hardware and engine; ``front`` is its path.

    ``look`` are the classes of its colour and dashes.
    """

    name: str
    look: str
    front: str
    dots: tuple[Dot, ...]


class Plot(NamedTuple):
    """All that the template draws."""

    groups: list[Group]
    along: list[Mark]
    up: list[Mark]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    foot: int = _FOOT


class _Row(NamedTuple):
    speed: float
    cost: float
    record: Record


def page(run: Run, records: Sequence[Record], columns: dict[str, Column]) -> str:
    """The page: it loads nothing and runs no script; what a dot is stands in its title, shown on hover."""
    return page_of(
        "pareto.html",
        ["pareto.css"],
        said=f"{run_rig_phrase(run)} · {run.tool} · {run.created}",
        plot=_plot(records),
        columns=list(columns.values()),
        records=records,
    )


def _plot(records: Sequence[Record]) -> Plot | None:
    """The plot of those that tell both speed and energy, None where none does."""
    rows: dict[str, list[_Row]] = {}
    for record in records:
        speed, cost = interactivity(record), headline(record)
        if speed and cost:
            rows.setdefault(_group_of(record), []).append(_Row(speed, cost, record))
    if not rows:
        return None
    every = [row for group in rows.values() for row in group]
    along = _Scale([row.speed for row in every], _LEFT, _RIGHT)
    up = _Scale([row.cost for row in every], _FOOT, _TOP)
    groups = [
        Group(name, colour_of(number), _front(group, along, up), tuple(_dot(row, along, up) for row in group))
        for number, (name, group) in enumerate(rows.items())
    ]
    return Plot(groups, along.marks(), up.marks())


def _group_of(record: Record) -> str:
    kind = [COLUMNS[name].text(record) for name in ("hardware", "framework", "spec")]
    return " · ".join([workload(record), *(part for part in kind if part and part != "none")])


class _Scale:
    """A logarithmic scale from values to places, with its marks at 1, 2 and 5 of each decade."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._high = math.log10(min(values) * 0.9), math.log10(max(values) * 1.1)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """The place of a value, to a tenth."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return round(self._start + share * (self._end - self._start), 1)

    def marks(self) -> list[Mark]:
        """Round values inside of the scale."""
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        values = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
        inside = [value for value in values if self._low <= math.log10(value) <= self._high]
        return [Mark(self.at(value), f"{value:g}") for value in inside]


def _front(rows: Sequence[_Row], along: _Scale, up: _Scale) -> str:
    """The line through the rows that no other of their group beats in both speed and energy."""
    best: list[_Row] = []
    for row in sorted(rows, key=lambda row: (-row.speed, row.cost)):
        if not best or row.cost < best[-1].cost:
            best.append(row)
    return "M" + "L".join(f"{along.at(row.speed)} {up.at(row.cost)}" for row in best) if len(best) > 1 else ""


def _dot(row: _Row, along: _Scale, up: _Scale) -> Dot:
    record = row.record
    told = [f"{COLUMNS[name].title}: {text}" for name in _SAID if (text := COLUMNS[name].text(record))]
    is_modelled = record.measurement.has("modelled")
    return Dot(along.at(row.speed), up.at(row.cost), is_modelled, (record.test, *told))
