"""The figures of each test over runs, those of each rig and method on their own."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import fmean

from pytest_whq.history.change_points import Detector, Split
from pytest_whq.model.baseline import RigKey, key_of
from pytest_whq.model.history import Kept, KeptRun
from pytest_whq.model.measurement import Method
from pytest_whq.model.rig import Commit, Rig

_LEAST_WH = 1e-15
"""Below every sensor and every estimate; above it ratios stay finite."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a series came to another level: ``number`` is that of the first point of the new one.

    ``change`` is the new level over the old one, less 1; levels are geometric means, in Wh.
    """

    number: int
    created: str
    commit: Commit | None
    before_wh: float
    after_wh: float

    @property
    def change(self) -> float:
        """How much more the new level is, a share."""
        return self.after_wh / self.before_wh - 1


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of a test on one rig, the earliest first; ``runs`` and ``points`` are in step.

    ``unmeasured`` is how many runs have no figure of it that stands. ``changes`` is None where nobody has
    looked for them.
    """

    test: str
    rig: Rig
    method: Method | None
    runs: Sequence[KeptRun]
    points: Sequence[Kept]
    unmeasured: int
    changes: tuple[ChangePoint, ...] | None

    @property
    def values_wh(self) -> list[float]:
        """Watt-hours per query of each point."""
        return [point.wh_per_query for point in self.points if point.wh_per_query is not None]

    @property
    def levels(self) -> list[tuple[int, int, float]]:
        """Each level: its first point, the one after its last, and its geometric mean in Wh."""
        ends = [change.number for change in self.changes or ()]
        bounds = zip([0, *ends], [*ends, len(self.points)], strict=True)
        values = self.values_wh
        return [(start, end, _level(values[start:end])) for start, end in bounds]


def _level(values: Sequence[float]) -> float:
    return math.exp(fmean(map(math.log, values)))


class _Gathered:
    """A series that grows."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.runs: list[KeptRun] = []
        self.points: list[Kept] = []


def series_of(runs: Sequence[KeptRun], pattern: str = "*", detector: Detector | None = None) -> list[Series]:
    """The series of each test whose name fits ``pattern``, in the order of the latest run; others behind.

    ``detector`` finds the points from which on a series has another level, None where nobody looks.
    """
    ordered = sorted(runs, key=lambda run: run.created.removesuffix("Z"))
    names = dict.fromkeys(row.test for run in reversed(ordered) for row in run.rows)
    tests: Mapping[str, dict[tuple[RigKey, Method | None], _Gathered]] = {
        name: {} for name in names if fnmatchcase(name, pattern)
    }
    unmeasured = dict.fromkeys(tests, 0)
    for run in ordered:
        keys: dict[tuple[Method | None, tuple[int, ...] | None], RigKey] = {}
        for row in run.rows:
            if (found := tests.get(row.test)) is None:
                continue
            if row.wh_per_query is None or row.wh_per_query < _LEAST_WH:
                unmeasured[row.test] += 1
                continue
            of = row.method, row.devices
            if (key := keys.get(of)) is None:
                key = keys[of] = key_of(run.rig_of(row), row.method)
            if (gathered := found.get((key, row.method))) is None:
                gathered = found[key, row.method] = _Gathered(run.rig_of(row))
            gathered.runs.append(run)
            gathered.points.append(row)
    return list(_finished(tests, unmeasured, detector))


def _finished(
    tests: Mapping[str, Mapping[tuple[RigKey, Method | None], _Gathered]],
    unmeasured: Mapping[str, int],
    detector: Detector | None,
) -> Iterator[Series]:
    for name, found in tests.items():
        if not found:
            yield Series(name, _NO_RIG, None, (), (), unmeasured[name], None)
        for (_, method), gathered in found.items():
            changes = None if detector is None else _changes(gathered, detector)
            yield Series(
                name, gathered.rig, method, gathered.runs, gathered.points, unmeasured[name], changes
            )


_NO_RIG = Rig(None, None, None, "", "", "", ())


def _changes(gathered: _Gathered, detector: Detector) -> tuple[ChangePoint, ...]:
    values = [point.wh_per_query or 0.0 for point in gathered.points]
    return tuple(_change(split, gathered.runs[split.number]) for split in detector(values))


def _change(split: Split, run: KeptRun) -> ChangePoint:
    return ChangePoint(split.number, run.created, run.commit, split.before, split.after)
