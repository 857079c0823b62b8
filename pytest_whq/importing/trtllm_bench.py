"""TensorRT-LLM's trtllm-bench: the JSON of ``--report_json``, with joules where its energy monitor ran."""

from collections.abc import Mapping

from pytest_whq.importing.cells import CellError, Cells, seconds
from pytest_whq.importing.collecting import one_of_each_document
from pytest_whq.importing.documents import Document, Documents
from pytest_whq.importing.result import Found, Result, Throughput, ToolEnergy
from pytest_whq.model.imported import Means, Setup

_JOULES = ("total_energy_j", "total_gpu_energy_j", "total_energy_joules", "total_energy")
_WATTS = ("average_gpu_power_w", "avg_gpu_power_w", "average_gpu_power", "avg_power_w", "average_power_w")
_PLACES = ("performance", "energy_metrics", "energy", "power_metrics")


def read(documents: Documents) -> Found:
    """The report of every document."""
    return one_of_each_document(documents, "trtllm-bench", _result)


def _result(document: Document) -> Result:
    if not isinstance(document.value, Mapping) or not {"engine", "performance"} <= document.value.keys():
        raise CellError("has no engine and performance: it is no report of trtllm-bench")
    cells = Cells(document.value)
    engine, world, requests = (cells.inside(name) for name in ("engine", "world_info", "request_info"))
    performance, streaming = cells.inside("performance"), cells.inside("streaming_metrics")
    setup = _setup(cells, engine, world, requests)
    queries, gpus = requests.count("num_requests"), setup.gpus or 1
    total = performance.number("system_total_throughput_tok_s")
    output = performance.number("system_output_throughput_tok_s")
    energy = _energy(cells, gpus)
    tpot_s = seconds(streaming.number("avg_tpot_ms"))
    return Result(
        name=f"{setup.model} {setup.precision or ''} tp{world.count('tp_size') or 1}".replace("  ", " "),
        setup=setup,
        queries=queries,
        input_tokens=_tokens(setup.input_length, queries),
        output_tokens=_tokens(setup.output_length, queries),
        duration_s=seconds(performance.number("total_latency_ms")),
        throughput=Throughput(total and total / gpus, None, output and output / gpus),
        means=Means(
            seconds(performance.number("avg_request_latency_ms")),
            seconds(streaming.number("avg_ttft_ms")),
            tpot_s,
            streaming.number("token_output_speed_tok_s") or (1 / tpot_s if tpot_s else None),
        ),
        energy=energy,
        why_no_energy=None if energy else "the report has no energy: its energy monitor did not run",
        doubts=("output lengths are forced (ignore_eos), as trtllm-bench does unless told otherwise",),
    )


def _tokens(length: float | None, queries: int | None) -> int | None:
    return None if length is None or queries is None else round(length * queries)


def _setup(cells: Cells, engine: Cells, world: Cells, requests: Cells) -> Setup:
    concurrency = requests.number("avg_num_concurrent_requests")
    flags = [
        f"{name}={found}"
        for name in ("tp_size", "pp_size", "ep_size")
        if (found := world.count(name)) is not None
    ]
    return Setup(
        model=engine.text("model"),
        precision=engine.text("quantization", "dtype"),
        framework=f"TensorRT-LLM {engine.text('version') or ''} {engine.text('backend') or ''}".strip(),
        gpus=world.count("world_size"),
        concurrency=None if concurrency is None else round(concurrency),
        input_length=requests.above_zero("avg_input_length"),
        output_length=requests.above_zero("avg_output_length"),
        speculative_decoding=cells.inside("decoding_stats").text("mode"),
        flags=tuple(flags),
    )


def _energy(cells: Cells, gpus: int) -> ToolEnergy | None:
    for place in (cells, *(cells.inside(name) for name in _PLACES)):
        if (joules := place.number(*_JOULES)) is not None and joules > 0:
            watts = place.number(*_WATTS)
            return ToolEnergy("counter", "gpu", "trtllm-bench", joules, power_w=watts and watts / gpus)
    return None
