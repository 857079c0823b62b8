"""A baseline: what accepted runs measured, by test, and how another run enters it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_whq.model.measurement import Method
from pytest_whq.model.metrics import Amounts, Figures
from pytest_whq.model.rig import Commit, Device, Rig
from pytest_whq.model.run import Record, Run

KEPT = 10
"""So many runs are kept for each test and rig, the latest."""

COMPARED = (Figures.wh_per_query.name, Figures.j_per_output_token.name)
"""The metrics that are compared with a baseline, headline first."""


@dataclass(frozen=True, slots=True)
class AcceptedRun:
    """When, with what, of which commit and on which rig accepted figures were measured."""

    created: str
    tool: str
    commit: Commit | None
    rig: Rig


@dataclass(frozen=True, slots=True)
class Accepted(Figures):
    """What one run measured of one test: the part of its record that comparisons need.

    ``rounds`` is how many there were; ``interval95`` has those of `COMPARED` that are known.
    """

    run: AcceptedRun = field(repr=False)
    test: str
    method: Method | None
    queries: int
    input_tokens: int | None
    output_tokens: int | None
    energy_j: float
    uncertainty_j: float | None
    rounds: int
    interval95: Mapping[str, tuple[float, float]]

    @property
    def amounts(self) -> Amounts:
        """What was accepted; that it does not keep is not known."""
        return Amounts(
            energy_j=self.energy_j,
            queries=self.queries,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """Test -> what was accepted of it, the earliest first."""

    tests: Mapping[str, tuple[Accepted, ...]]

    def of(self, test: str) -> tuple[Accepted, ...]:
        """What was accepted of ``test``, on whatever rig."""
        return self.tests.get(test, ())


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A baseline after a run was accepted: its tests that entered, and why others did not."""

    baseline: Baseline
    accepted: tuple[str, ...]
    left_out: Mapping[str, str]


def accept(baseline: Baseline, run: Run, kept: int = KEPT) -> Acceptance:
    """``baseline`` with the valid records of ``run``; by test and rig the latest ``kept`` stay.

    Other tests' entries, and those of other rigs, stay as they are. What is there already does not
    enter again.
    """
    tests = dict(baseline.tests)
    accepted, left_out = [], {}
    for record in run.records:
        before = baseline.of(record.test)
        entry = entry_of(record, run)
        why = why_left_out(record)
        if why is None and entry in before:
            why = "it is in the baseline already"
        if why is None:
            latest = _latest([*before, entry], entry, kept)
            if not any(one is entry for one in latest):
                why = f"the baseline has {kept} later runs of it"
            else:
                tests[record.test] = latest
                accepted.append(record.test)
        if why is not None:
            left_out[record.test] = why
    return Acceptance(Baseline(tests), tuple(accepted), left_out)


def why_left_out(record: Record) -> str | None:
    """Why a record cannot enter a baseline, None where it can."""
    if why := record.measurement.why_incomparable:
        return why
    if record.skipped:
        return "the test was skipped"
    if record.interrupted:
        return "the test was interrupted"
    return "the test failed" if record.failed and not _failed_by_verdict(record) else None


def _failed_by_verdict(record: Record) -> bool:
    """Whether energy alone explains that a test failed: to accept it is to say that this may stand.

    A test that failed by itself has no comparison.
    """
    compared = record.comparison
    return any(verdict.fails for verdict in record.budgets) or (
        compared is not None and (compared.meaning.fails or not compared.meaning.settled)
    )


def entry_of(record: Record, run: Run | AcceptedRun) -> Accepted:
    """What a baseline keeps of ``record``, or compares with it; its energy must be known."""
    measurement, amounts = record.measurement, record.measurement.amounts
    rig = run.rig.of_devices(measurement.device_ids)
    source = AcceptedRun(run.created, run.tool, run.commit, rig)
    return Accepted(
        run=source,
        test=record.test,
        method=measurement.method,
        queries=amounts.queries or 0,
        input_tokens=_whole(amounts.input_tokens),
        output_tokens=_whole(amounts.output_tokens),
        energy_j=amounts.energy_j or 0.0,
        uncertainty_j=measurement.uncertainty_j,
        rounds=len(measurement.rounds),
        interval95={
            name: measurement.interval95[name] for name in COMPARED if name in measurement.interval95
        },
    )


def _whole(tokens: float | None) -> int | None:
    """Tokens as a count: of one query on average they may be no whole number."""
    return None if tokens is None else round(tokens)


class BoardKey(NamedTuple):
    """A device as a rig is told by it: of equal work two boards of one model make energies 2 to 4 % apart."""

    name: str
    power_limit_w: float | None
    role: str | None
    id: str | None


class RigKey(NamedTuple):
    """What two figures must share to be comparable."""

    source: str | None
    scope: str | None
    method: Method | None
    devices: tuple[BoardKey, ...]

    @property
    def of_any_board(self) -> "RigKey":
        """The same without the ids of the boards."""
        return self._replace(devices=tuple(board._replace(id=None) for board in self.devices))


def rig_key(entry: Accepted) -> RigKey:
    """What ``entry`` must share with another to be comparable with it."""
    return key_of(entry.run.rig, entry.method)


def key_of(rig: Rig, method: Method | None) -> RigKey:
    """What figures made on ``rig`` by ``method`` must share with others to be comparable with them."""
    return RigKey(rig.source, rig.scope, method, tuple(sorted(map(_kind, rig.devices), key=repr)))


def of_latest_rig(entries: Sequence[Accepted]) -> Sequence[Accepted]:
    """Those of ``entries``, of one test, that are comparable with the last."""
    return [entry for entry in entries if rig_key(entry) == rig_key(entries[-1])]


def _kind(device: Device) -> BoardKey:
    return BoardKey(device.name, device.power_limit_w, device.role, device.id)


def _latest(entries: Sequence[Accepted], new: Accepted, kept: int) -> tuple[Accepted, ...]:
    """``entries`` in order of time, of those of the rig of ``new`` only the latest ``kept``."""
    key = rig_key(new)
    ordered = sorted(entries, key=lambda entry: moment_key(entry.run))
    same = [entry for entry in ordered if rig_key(entry) == key]
    dropped = {id(entry) for entry in same[:-kept]}
    return tuple(entry for entry in ordered if id(entry) not in dropped)


def moment_key(run: AcceptedRun) -> str:
    """Sorts runs by the moment they were made, fractions of a second included."""
    return run.created.removesuffix("Z")
