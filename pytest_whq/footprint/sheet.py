"""The sheet that one would ask of a provider: what was served, what it drew, and how that is known."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_whq.footprint.footprint import footprint_of, standing
from pytest_whq.model import Measurement, Place, Record, Run
from pytest_whq.model.imported import Setup
from pytest_whq.model.serving import Distribution
from pytest_whq.units import wh

SHEET_FORMAT = 1  # 1: first


@dataclass(frozen=True, slots=True)
class Period:
    """When it was measured: the start, and so many seconds from there on, not all of them in a row.

    The start is a time in UTC, or a day where nothing else is known; either may be unknown.
    """

    start: str | None
    measured_s: float | None


@dataclass(frozen=True, slots=True)
class Meter:
    """What measured, and what its joules cover: see `pytest_whq.model.Rig`."""

    source: str | None
    scope: str | None
    driver: str | None


@dataclass(frozen=True, slots=True)
class Hardware:
    """Devices of one kind that were measured; ``number`` is None where tests differ in it, or do not tell."""

    name: str
    number: int | None
    power_limit_w: float | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of the requests that succeeded; what is not known is None."""

    total: int | None
    mean: float | None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """What one test asked for and what it drew; figures that do not stand are None, and ``why`` says so.

    ``notes`` are what could mislead a reader of those that do, the doubts about an imported one among them.
    ``requests`` are all, those that failed included. ``uncertainty`` is one standard uncertainty as a
    share of the energy; neither that nor an interval is there where no sensor was read, since nobody knows
    how far a model is off.
    """

    name: str
    requests: int | None
    failed_requests: int | None
    failures: Mapping[str, int]
    concurrency: int | None
    duration_s: float | None
    input_tokens: Lengths
    output_tokens: Lengths
    method: str | None
    energy_wh: float | None
    average_power_w: float | None
    wh_per_query: float | None
    wh_per_query_interval95: tuple[float, float] | None
    wh_per_1k_tokens: float | None
    wh_per_1k_output_tokens: float | None
    uncertainty: float | None
    gco2e_g_per_query: float | None
    cost_per_query: float | None
    why: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole sheet of a run; ``supplier`` is who the user says, as ``model`` unless an import tells it.

    ``created`` is the time of the run, in UTC.
    """

    created: str
    tool: str
    model: str | None
    supplier: str | None
    period: Period
    meter: Meter
    hardware: tuple[Hardware, ...]
    place: Place
    workloads: tuple[Workload, ...]


def sheet_of(run: Run, model: str | None = None, supplier: str | None = None) -> Sheet:
    """The sheet of ``run``: nothing is in it that the run or the user does not say."""
    place = run.place or Place()
    return Sheet(
        created=run.created,
        tool=run.tool,
        model=model or _model(run),
        supplier=supplier,
        period=Period(run.measured_from, _measured_s(run)),
        meter=Meter(run.rig.source, run.rig.scope, run.rig.driver),
        hardware=tuple(_hardware(run)),
        place=place,
        workloads=tuple(_workload(record, place) for record in run.records),
    )


def _measured_s(run: Run) -> float | None:
    """Seconds of all tests that measured; None where an imported result does not tell its own."""
    lasted_s = [
        record.measurement.duration_s
        for record in run.records
        if record.measurement.imported is not None or record.measurement.duration_s is not None
    ]
    return None if None in lasted_s else sum(one_s or 0.0 for one_s in lasted_s)


def _model(run: Run) -> str | None:
    """The model that other tools' results are all of."""
    models = {setup.model for record in run.records if (setup := _setup(record)) is not None}
    return models.pop() if len(models) == 1 else None


def _setup(record: Record) -> Setup | None:
    imported = record.measurement.imported
    return None if imported is None else imported.setup


def _hardware(run: Run) -> Iterator[Hardware]:
    told: dict[str | None, set[int | None]] = defaultdict(set)
    for record in run.records:
        if (setup := _setup(record)) is not None:
            told[setup.hardware].add(setup.gpus)
    found = Counter[tuple[str, float | None]]()
    for device in run.rig.devices:
        if (numbers := told.get(device.id)) is not None:
            # The kind stands for all of them, and tests may have had more of them or fewer.
            yield Hardware(device.name, numbers.pop() if len(numbers) == 1 else None, device.power_limit_w)
        else:
            found[device.name, device.power_limit_w] += 1
    yield from (Hardware(name, number, limit_w) for (name, limit_w), number in found.items())


def _requests(queries: int | None, failed: int | None) -> int | None:
    """All requests, as far as they are told: an imported record may not say how many failed."""
    return queries if queries is None or failed is None else queries + failed


def _workload(record: Record, place: Place) -> Workload:
    measurement, served = record.measurement, record.measurement.distributions
    found = footprint_of(measurement, place)
    energy_wh = standing(measurement, "wh_total")
    sure = not measurement.is_modelled and standing(measurement, "wh_per_query") is not None
    return Workload(
        name=record.test,
        requests=_requests(measurement.queries, measurement.failed_queries),
        failed_requests=measurement.failed_queries,
        failures=measurement.failures,
        concurrency=_concurrency(measurement),
        duration_s=measurement.duration_s,
        input_tokens=_lengths(
            measurement.tokens.input_tokens, None if served is None else served.input_tokens, measurement
        ),
        output_tokens=_lengths(
            measurement.tokens.output_tokens, None if served is None else served.output_tokens, measurement
        ),
        method=measurement.method,
        energy_wh=energy_wh,
        average_power_w=standing(measurement, "average_power_w"),
        wh_per_query=standing(measurement, "wh_per_query"),
        wh_per_query_interval95=measurement.interval95.get("wh_per_query") if sure else None,
        wh_per_1k_tokens=standing(measurement, "wh_per_1k_tokens"),
        wh_per_1k_output_tokens=standing(measurement, "wh_per_1k_output_tokens"),
        uncertainty=_uncertainty(measurement, energy_wh),
        gco2e_g_per_query=None if found.gco2e is None else found.gco2e.per_query,
        cost_per_query=None if found.cost is None else found.cost.per_query,
        why=tuple(reason.sentence or reason.code for reason in measurement.reasons),
        notes=measurement.notes,
    )


def _uncertainty(measurement: Measurement, energy_wh: float | None) -> float | None:
    if measurement.uncertainty_j is None or not energy_wh or measurement.is_modelled:
        return None
    return wh(measurement.uncertainty_j) / energy_wh


def _concurrency(measurement: Measurement) -> int | None:
    if measurement.load is not None:
        return measurement.load.concurrency
    return None if measurement.imported is None else measurement.imported.setup.concurrency


def _lengths(total: int | None, spread: Distribution | None, measurement: Measurement) -> Lengths:
    if spread is not None:
        return Lengths(total, spread.mean, spread.p50, spread.p90, spread.p99, spread.max)
    return Lengths(total, None if total is None or not measurement.queries else total / measurement.queries)
