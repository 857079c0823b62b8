"""A baseline as the runs of which it was made. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_whq.model.baseline import Accepted, AcceptedRun, Baseline, key_of, moment_key
from pytest_whq.model.measurement import DeviceEnergy, Measurement, TokenCount
from pytest_whq.model.reasons import ESTIMATED, ESTIMATED_BY_TOOL, Reason
from pytest_whq.model.rig import ELSEWHERE
from pytest_whq.model.run import Record, Run


def runs_of(baseline: Baseline) -> Iterator[tuple[AcceptedRun, tuple[Accepted, ...]]]:
    """The baseline by runs, the earliest first, and by test within a run."""
    grouped: dict[tuple[AcceptedRun, int], list[Accepted]] = {}
    for test in sorted(baseline.tests):
        seen: dict[AcceptedRun, int] = {}
        for entry in baseline.tests[test]:
            # Two runs can share their second, commit and rig, but then each has a record of the test.
            number = seen[entry.run] = seen.get(entry.run, -1) + 1
            grouped.setdefault((entry.run, number), []).append(entry)
    for run, number in sorted(grouped, key=lambda key: (moment_key(key[0]), *map(repr, key))):
        yield run, tuple(grouped[run, number])


def runs_in(baseline: Baseline) -> list[Run]:
    """The runs of which ``baseline`` was made, with what it keeps of them: no rounds and no seconds."""
    return [
        Run(made.created, made.tool, made.commit, made.rig, tuple(_record_of(entry) for entry in entries))
        for made, entries in runs_of(baseline)
    ]


def latest_of(runs: Sequence[Run]) -> Run:
    """The last of ``runs`` with the latest record of each test that they have on its rig."""
    last = runs[-1]
    kind = key_of(last.rig, None)
    records = {record.test: record for run in runs if key_of(run.rig, None) == kind for record in run.records}
    return replace(last, records=tuple(records.values()))


def _record_of(entry: Accepted) -> Record:
    tokens = TokenCount(entry.input_tokens, entry.output_tokens)
    devices = entry.run.rig.devices
    measurement = Measurement(
        method=entry.method,
        energy_j=entry.energy_j,
        net_energy_j=None,
        uncertainty_j=entry.uncertainty_j,
        duration_s=None,
        queries=entry.queries,
        failed_queries=None,
        tokens=tokens,
        devices=tuple(DeviceEnergy(one.id, entry.energy_j if len(devices) == 1 else None) for one in devices),
        rounds=(),
        interval95=entry.interval95,
        reasons=tuple(_warnings(entry)),
    )
    return Record.outside_pytest(entry.test, measurement)


def _warnings(entry: Accepted) -> Iterator[Reason]:
    """What the method alone tells; the other warnings of its record a baseline does not keep."""
    if entry.method == "estimate":
        yield ESTIMATED_BY_TOOL if entry.run.rig.host == ELSEWHERE else ESTIMATED
    if entry.method == "modelled":
        yield Reason("modelled", "nobody has measured it: all-in power over throughput")
