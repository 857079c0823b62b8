"""Results of another tool as a run: a record for each, with the figures that stand and their doubts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pytest_whq.importing.figures.all_in_power import PowerTable, day_of, modelled
from pytest_whq.importing.figures.doubts import doubts_of
from pytest_whq.importing.figures.names import unique_names
from pytest_whq.importing.figures.neighbours import off_the_line
from pytest_whq.importing.result import Result
from pytest_whq.judging.max_failed import MaxFailed, allow_failures
from pytest_whq.model import Device, DeviceEnergy, Measurement, Reason, Record, Rig, Run, TokenCount
from pytest_whq.model.imported import Imported, Modelled, RoleEnergy
from pytest_whq.model.reasons import ESTIMATED_BY_TOOL, failures
from pytest_whq.model.rig import ELSEWHERE
from pytest_whq.units import format_moment

_NONE_FAILED = MaxFailed(count=0)


@dataclass(frozen=True, slots=True)
class Importing:
    """How results become a run: when they are ``imported``, in UTC, and the ``table`` of all-in power.

    Without a table nothing is modelled. So many failed queries as ``max_failed`` says leave a figure valid.
    """

    kind: str
    tool: str
    imported: str
    table: PowerTable | None
    length_factor: float | None = None
    max_failed: MaxFailed = _NONE_FAILED


def run_of(results: Sequence[Result], how: Importing) -> Run:
    """The run of ``results``, whose records' names tell them apart."""
    results = [_measured(_dated(result)) for result in results]
    names = unique_names(results)
    models = [_modelled(result, how) for result in results]
    figures = {
        index: j_per_query
        for index, (result, model) in enumerate(zip(results, models, strict=True))
        if (j_per_query := _j_per_query(result, model)) is not None
    }
    strange = off_the_line(results, figures)
    devices = list(_told_apart(results))
    records = tuple(
        _record(name, result, model, strange.get(index), devices[index], how)
        for index, (name, result, model) in enumerate(zip(names, results, models, strict=True))
    )
    rig = _rig(records, results, devices, how)
    return Run(_began(results) or how.imported, how.tool, None, rig, records)


def _dated(result: Result) -> Result:
    """``result`` with the date of its window, which is surer than one that it tells; others as ISO 8601."""
    date = result.setup.date
    if result.span is not None:
        date = format_moment(result.span.start_s)
    elif (day := day_of(date)) is not None and not _is_moment(date or ""):
        date = day.isoformat()
    return replace(result, setup=replace(result.setup, date=date))


def _measured(result: Result) -> Result:
    """``result`` without energy where its tool tells of none at all: no device draws nothing."""
    if result.energy is None or any((result.energy.energy_j, result.energy.j_per_query)):
        return result
    return replace(result, energy=None, why_no_energy="the energy that it tells is 0 J: nothing was read")


def _began(results: Sequence[Result]) -> str | None:
    """When the earliest of them was measured, None where none tells."""
    dates = (date for result in results if (date := result.setup.date) and day_of(date) is not None)
    return min((date if _is_moment(date) else f"{date}T00:00:00Z" for date in dates), default=None)


def _is_moment(text: str) -> bool:
    """Whether it is a time in UTC as a run file has it."""
    try:
        return text.endswith("Z") and datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%S") == text[:19]
    except ValueError:
        return False


def _tokens_per_s_per_gpu(result: Result) -> float | None:
    """Tokens per second per GPU as told, else of all tokens, seconds and GPUs."""
    if result.throughput.total is not None:
        return result.throughput.total
    if result.input_tokens is None or result.output_tokens is None or not result.duration_s:
        return None
    return (result.input_tokens + result.output_tokens) / result.duration_s / (result.setup.gpus or 1)


def _modelled(result: Result, how: Importing) -> Modelled | str | None:
    """The modelled figure, why there is none where one is wanted, or None where none is."""
    wanted = result.modelled or (how.table is not None and how.table.fixed_w is not None)
    if how.table is None or not wanted:
        return None
    return modelled(result.setup, _tokens_per_s_per_gpu(result), how.table)


def _j_per_query(result: Result, model: Modelled | str | None) -> float | None:
    measured = _measured_j_per_query(result)
    return measured if measured is not None or not isinstance(model, Modelled) else model.j_per_query


def _measured_j_per_query(result: Result) -> float | None:
    if result.energy is None:
        return None
    if result.energy.energy_j is not None and result.queries:
        return result.energy.energy_j / result.queries
    return result.energy.j_per_query


def _record(
    name: str,
    result: Result,
    model: Modelled | str | None,
    strange: str | None,
    devices: Mapping[str, Device],
    how: Importing,
) -> Record:
    energy, found = result.energy, model if isinstance(model, Modelled) else None
    doubts = (*doubts_of(result), *([strange] if strange else []))
    notes = [*result.notes, *_notes(result, model, how)]
    whole_j = energy.energy_j if energy is not None and result.queries else None
    measurement = Measurement(
        method=energy.method if energy is not None else "modelled" if found else None,
        energy_j=whole_j,
        net_energy_j=None,
        uncertainty_j=energy.uncertainty_j if energy is not None and whole_j is not None else None,
        duration_s=result.duration_s,
        queries=result.queries,
        failed_queries=result.failed_queries,
        tokens=TokenCount(result.input_tokens, result.output_tokens, result.cached_input_tokens),
        devices=tuple(DeviceEnergy(devices[id_].id, each_j) for id_, each_j in _energies_j(result)),
        rounds=(),
        reasons=tuple(_reasons(result, model)),
        notes=tuple(dict.fromkeys((*doubts, *notes))),
        distributions=result.distributions,
        imported=Imported(
            kind=how.kind,
            query=result.query,
            setup=result.setup,
            means=result.means,
            tokens_per_s_per_gpu=_tokens_per_s_per_gpu(result),
            measured_j_per_query=_measured_j_per_query(result),
            modelled=found,
            length_factor=how.length_factor if result.fixed_lengths else None,
            power_w=None if energy is None else energy.power_w,
            roles=tuple(RoleEnergy(role, j) for role, j in (energy.roles if energy else {}).items()),
            doubts=doubts,
        ),
    )
    return Record(name, "passed", allow_failures(measurement, how.max_failed))


def _reasons(result: Result, model: Modelled | str | None) -> Iterator[Reason]:
    if (failed := failures(result.queries, result.failed_queries)) is not None:
        yield failed
    if result.why_no_queries is not None:
        yield Reason("no_queries", result.why_no_queries)
    if result.energy is not None:
        if result.energy.method == "estimate":
            yield ESTIMATED_BY_TOOL
        if result.queries == 0:
            yield Reason("no_queries", "no query succeeded")
        elif _measured_j_per_query(result) is None:
            yield Reason("no_queries", "the result does not tell how many queries succeeded")
        return
    if isinstance(model, Modelled):
        yield Reason("modelled", f"nobody has measured it: {model.power_w:.0f} W per GPU by {model.table}")
        return
    why = result.why_no_energy or "the result has no energy: give its power log with --power, or --kw"
    yield Reason(result.why_code, f"{why}; {model}" if isinstance(model, str) else why)


def _notes(result: Result, model: Modelled | str | None, how: Importing) -> Iterator[str]:
    if isinstance(model, str) and result.energy is not None:
        yield f"no modelled figure: {model}"
    if result.why_no_energy is not None and isinstance(model, Modelled):
        yield f"measured power is not used: {result.why_no_energy}"
    undated = day_of(result.setup.date) is None and how.table is not None and how.table.fixed_w is None
    if isinstance(model, Modelled) and undated:
        yield f"the result has no date: all-in power is that of the first set, {model.table}"
    if isinstance(model, Modelled) and result.setup.gpus is None and result.throughput.total is None:
        yield "the result does not tell how many GPUs: all-in power is taken as that of all of them together"
    if how.length_factor is not None and result.fixed_lengths:
        yield f"the corrected figure is for lengths {how.length_factor:g} times the nominal ones"


def _energies_j(result: Result) -> Iterator[tuple[str, float | None]]:
    """The devices of a result by their ids, with the joules of each where they are told."""
    if result.energy is not None and result.energy.devices:
        yield from result.energy.devices.items()
    elif result.devices:
        yield from ((device, None) for device in result.devices)
    elif result.setup.hardware is not None:
        # The kind of GPU stands for all of them where nobody tells of each: how many is in the set-up.
        yield result.setup.hardware, None


def _told_apart(results: Sequence[Result]) -> Iterator[dict[str, Device]]:
    """The devices of each result by its own ids; where one id has several names, they are in it."""
    named = []
    for result in results:
        names = {} if result.energy is None else result.energy.names
        named.append(
            {id_: names.get(id_) or result.setup.hardware or "GPU" for id_, _ in _energies_j(result)}
        )
    names_of: dict[str, set[str]] = {}
    for devices in named:
        for id_, name in devices.items():
            names_of.setdefault(id_, set()).add(name)
    for devices in named:
        # Files with made-up ids, or of machines that count from 0, would make one device of two.
        yield {
            id_: Device(id_ if len(names_of[id_]) == 1 else f"{id_} ({name})", name)
            for id_, name in devices.items()
        }


def _rig(
    records: Sequence[Record],
    results: Sequence[Result],
    devices: Sequence[Mapping[str, Device]],
    how: Importing,
) -> Rig:
    scopes = dict.fromkeys(
        result.energy.scope if result.energy is not None else "all-in"
        for record, result in zip(records, results, strict=True)
        if record.measurement.method is not None
    )
    return Rig(
        source=how.kind,
        scope=" or ".join(scopes) or None,
        driver=None,
        host=ELSEWHERE,
        python=ELSEWHERE,
        platform=ELSEWHERE,
        devices=tuple(dict.fromkeys(device for of_one in devices for device in of_one.values())),
    )
