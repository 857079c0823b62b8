"""What a history keeps of a run: of each test the figure, and what it was held against. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_whq.model.baseline import why_left_out
from pytest_whq.model.measurement import Method
from pytest_whq.model.rig import Commit, Rig
from pytest_whq.model.run import Record, Run

_DIGITS = 6
"""Significant ones that are kept: no sensor tells more."""


class Kept(NamedTuple):
    """What is kept of one test: its Wh/query with its 95 % interval, and joules per output token.

    ``budget_wh`` is the tightest budget on Wh/query that applied, ``baseline_wh`` the mean that it was
    compared with. ``why`` is a word or a reason's code where the figure does not stand, and there is none
    then. ``devices`` are the places in the rig of those that were measured, None for all.
    """

    test: str
    wh_per_query: float | None
    low_wh: float | None
    high_wh: float | None
    j_per_output_token: float | None
    queries: int | None
    budget_wh: float | None
    baseline_wh: float | None
    method: Method | None
    why: str | None
    devices: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as a history keeps it."""

    created: str
    tool: str
    commit: Commit | None
    rig: Rig
    rows: tuple[Kept, ...]

    def rig_of(self, kept: Kept) -> Rig:
        """That of one of its rows."""
        if kept.devices is None:
            return self.rig
        return self.rig.of_devices({self.rig.devices[place].id for place in kept.devices})


def kept_of(run: Run) -> KeptRun:
    """What a history keeps of ``run``."""
    places = {device.id: place for place, device in enumerate(run.rig.devices)}
    rows = tuple(_row(record, places) for record in run.records)
    return KeptRun(run.created, run.tool, run.commit, run.rig, rows)


def _row(record: Record, places: Mapping[str, int]) -> Kept:
    measurement, why = record.measurement, _why(record)
    low, high = measurement.interval95.get("wh_per_query", (None, None)) if why is None else (None, None)
    measured = tuple(sorted(places[id_] for id_ in measurement.device_ids if id_ in places))
    compared = record.comparison
    return Kept(
        test=record.test,
        wh_per_query=None if why else _short(measurement.wh_per_query),
        low_wh=_short(low),
        high_wh=_short(high),
        j_per_output_token=None if why else _short(measurement.j_per_output_token),
        queries=measurement.queries,
        budget_wh=_short(_budget(record)),
        baseline_wh=_short(
            compared.baseline if compared is not None and compared.metric == "wh_per_query" else None
        ),
        method=measurement.method,
        why=why,
        devices=None if not measured or len(measured) == len(places) else measured,
    )


def _why(record: Record) -> str | None:
    measurement = record.measurement
    if reason := measurement.why_invalid("wh_per_query"):
        return reason.code
    if why_left_out(record) is None:
        return None
    if measurement.why_incomparable:
        return "no_figure"
    return f"test_{record.outcome}"


def _budget(record: Record) -> float | None:
    limits = (
        verdict.limit for verdict in record.budgets if verdict.metric == "wh_per_query" and verdict.applies
    )
    return min(limits, default=None)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
