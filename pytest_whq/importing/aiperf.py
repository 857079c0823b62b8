"""AIPerf exports: ``profile_export_aiperf.json``, with the energy and power of its GPU telemetry.

Telemetry of older versions (as 0.3) summarises the counter itself, in megajoules since the driver was
loaded; that of newer ones (as 0.13) what it counted while the benchmark ran.
"""

from collections.abc import Iterator, Mapping

from pytest_whq.importing.cells import CellError, Cells, seconds
from pytest_whq.importing.collecting import one_of_each_document
from pytest_whq.importing.documents import Document, Documents
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.importing.power.clock import LATEST_S, moment_of
from pytest_whq.importing.result import Found, Result, Throughput, ToolEnergy
from pytest_whq.joules.spans import Span
from pytest_whq.model.imported import Means, Setup
from pytest_whq.units import joules_from_megajoules

_AGREE = 0.1
"""How far the counter may be from gauge x time before one of them is doubted."""


def read(documents: Documents) -> Found:
    """The export of every document; the lines of telemetry or requests beside it are none."""
    return one_of_each_document(documents, "AIPerf", _result)


def _result(document: Document) -> Result:
    if not isinstance(document.value, Mapping) or not isinstance(
        document.value.get("request_count"), Mapping
    ):
        raise CellError("has no request_count: it is no profile_export_aiperf.json")
    cells = Cells(document.value)
    duration_s = _mean(cells, "benchmark_duration")
    gpus, repeated = _gpus(cells)
    setup = _setup(cells, gpus)
    energy, why, doubts = _energy(gpus, cells, duration_s)
    tokens_in, tokens_out = _mean(cells, "total_isl"), _mean(cells, "total_osl", "total_output_tokens")
    count, tpot_s = len(gpus) or None, seconds(_mean(cells, "inter_token_latency"))
    total = None if None in (tokens_in, tokens_out, duration_s) else (tokens_in or 0) + (tokens_out or 0)
    return Result(
        name=_name(setup),
        setup=setup,
        queries=_whole(_mean(cells, "request_count")),
        failed_queries=_whole(_mean(cells, "error_request_count")) or 0,
        input_tokens=_whole(tokens_in),
        output_tokens=_whole(tokens_out),
        duration_s=duration_s,
        span=_span(cells, duration_s),
        throughput=Throughput(total=total / duration_s / count if total and duration_s and count else None),
        means=Means(
            seconds(_mean(cells, "request_latency")),
            seconds(_mean(cells, "time_to_first_token")),
            tpot_s,
            _mean(cells, "output_token_throughput_per_user") or (1 / tpot_s if tpot_s else None),
        ),
        energy=energy,
        why_no_energy=why,
        doubts=(*doubts, *_forced(cells.inside("input_config"))),
        notes=repeated,
    )


def _name(setup: Setup) -> str:
    gpus = f"{setup.gpus or '?'}x{setup.hardware or 'GPU'}"
    return f"{setup.model or 'AIPerf'} {gpus}[conc={setup.concurrency}]"


def _mean(cells: Cells, *names: str) -> float | None:
    return next((found for name in names if (found := cells.inside(name).number("avg")) is not None), None)


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _span(cells: Cells, duration_s: float | None) -> Span | None:
    """The window from the first request to the last response, None where the export does not tell it."""
    ends_ns = [
        cells.inside(name).first("avg") for name in ("min_request_timestamp", "max_response_timestamp")
    ]
    found = [
        moment_of(f"{end_ns:.0f}")
        for end_ns in ends_ns
        if isinstance(end_ns, int | float) and 0 < end_ns <= LATEST_S * 1e9
    ]
    if len(found) == 2 and found[0] and found[1] and found[1].time_s > found[0].time_s:
        # The mean of one number is that number, but as a float it is known to 256 ns only.
        return Span(found[0].time_s, found[0].time_s + duration_s if duration_s else found[1].time_s)
    return None


def _forced(config: Cells) -> Iterator[str]:
    """The doubt that outputs were made to go on, where the requests have asked for that."""
    extra = config.inside("input").first("extra") or config.inside("endpoint").first("extra") or {}
    asked = extra.items() if isinstance(extra, Mapping) else extra if isinstance(extra, list) else ()
    pairs = (list(one) for one in asked if isinstance(one, list | tuple))
    if any(pair[:1] == ["ignore_eos"] and any(pair[1:2]) for pair in pairs):
        yield "output lengths are forced (ignore_eos true in the requests)"


def _setup(cells: Cells, gpus: Mapping[str, Cells]) -> Setup:
    config = cells.inside("input_config")
    models = config.inside("models").first("items")
    named = (
        models[0].get("name")
        if isinstance(models, list) and models and isinstance(models[0], Mapping)
        else None
    )
    names = config.inside("endpoint").first("model_names")
    named = named or (names[0] if isinstance(names, list) and names else None)
    phases = config.first("phases")
    load = (
        Cells(phases[-1])
        if isinstance(phases, list) and phases and isinstance(phases[-1], Mapping)
        else config.inside("loadgen")
    )
    hardware = next((one.text("gpu_name") for one in gpus.values()), None)
    return Setup(
        model=str(named) if named else None,
        hardware=gpu_named(hardware),
        gpus=len(gpus) or None,
        concurrency=load.count("concurrency"),
        rate_per_s=load.number("rate", "request_rate"),
        input_length=_mean(cells, "input_sequence_length"),
        output_length=_mean(cells, "output_sequence_length"),
        date=cells.text("start_time"),
    )


def _gpus(cells: Cells) -> tuple[dict[str, Cells], tuple[str, ...]]:
    """Each GPU once, by its UUID and not by the endpoint that told of it; and who told of one again."""
    found: dict[str, Cells] = {}
    again = []
    for endpoint, value in cells.inside("telemetry_data", "endpoints").items():
        for _, gpu in Cells(value if isinstance(value, Mapping) else {}).inside("gpus").items():
            one = Cells(gpu if isinstance(gpu, Mapping) else {})
            uuid = one.text("gpu_uuid") or f"{endpoint} {one.first('gpu_index')}"
            if uuid in found:
                again.append(f"{uuid} is told of by {endpoint}, too: it is counted once")
            else:
                found[uuid] = one
    return found, tuple(again)


def _energy(
    gpus: Mapping[str, Cells], cells: Cells, duration_s: float | None
) -> tuple[ToolEnergy | None, str | None, tuple[str, ...]]:
    if not gpus:
        return None, "the export has no GPU telemetry", ()
    joules, watts = {}, []
    for uuid, gpu in gpus.items():
        metrics = gpu.inside("metrics")
        watts += _of(metrics, ("gpu_power_usage", "nvidia_power_usage", "amd_power_usage"))
        counted = _counted_j(metrics)
        if counted is not None:
            joules[uuid] = counted
    power_w = sum(watts) / len(watts) if watts else None
    if len(joules) == len(gpus):
        doubts = tuple(_disagreement(sum(joules.values()), sum(watts), duration_s, len(watts) == len(gpus)))
        return (
            ToolEnergy(
                "counter", "gpu", "AIPerf telemetry", sum(joules.values()), power_w=power_w, devices=joules
            ),
            None,
            doubts,
        )
    if len(watts) == len(gpus) and duration_s:
        devices = {uuid: each_w * duration_s for uuid, each_w in zip(gpus, watts, strict=True)}
        energy = ToolEnergy(
            "power", "gpu", "AIPerf telemetry", sum(devices.values()), power_w=power_w, devices=devices
        )
        return energy, None, ()
    return None, "the telemetry has neither energy nor power of every GPU", ()


def _of(metrics: Cells, names: tuple[str, ...]) -> list[float]:
    # No device draws nothing: a gauge of 0 W has not been read.
    return [found for name in names if (found := metrics.inside(name).number("avg"))][:1]


def _counted_j(metrics: Cells) -> float | None:
    """Joules that a counter moved by: the span of its readings, or what a newer export says it counted."""
    since_start = metrics.inside("energy_consumption")
    if (first := since_start.number("min")) is not None and (last := since_start.number("max")) is not None:
        return joules_from_megajoules(last - first) or None
    for name in ("nvidia_energy_consumption", "amd_energy_consumption"):
        if counted := metrics.inside(name).number("avg"):
            return joules_from_megajoules(counted)
    return None


def _disagreement(
    counted_j: float, power_w: float, duration_s: float | None, complete: bool
) -> Iterator[str]:
    if complete and duration_s and power_w and abs(counted_j / (power_w * duration_s) - 1) > _AGREE:
        yield (
            f"the counter has moved by {counted_j:.0f} J, mean power x duration is {power_w:.0f} W x "
            f"{duration_s:.1f} s = {power_w * duration_s:.0f} J"
        )
