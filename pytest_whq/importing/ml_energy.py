"""The ML.ENERGY leaderboard: JSON of one model and task; joules per request, image or video, all measured."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_whq.importing.cells import CellError, Cells, seconds
from pytest_whq.importing.documents import Documents
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.importing.result import Found, Result, Throughput, ToolEnergy
from pytest_whq.model.imported import Means, Setup

_AGREE = 1e-3
"""How far J/token x mean output length may be from J/request: they are the same measurement."""

_ITEMS = {"image": "energy_per_image_joules", "video": "energy_per_video_joules"}


def read(documents: Documents) -> Found:
    """The configurations of every document; one that cannot be used is left out with a sentence."""
    results, left_out = [], list(documents.left_out)
    for document in documents.documents:
        value = document.value
        if not isinstance(value, Mapping) or not isinstance(value.get("configurations"), list):
            left_out.append(
                f"{document.where} has no configurations: it is no file of the ML.ENERGY leaderboard"
            )
            continue
        for number, entry in enumerate(value["configurations"], 1):
            try:
                results.append(_result(Cells(value), entry))
            except CellError as wrong:
                left_out.append(f"{document.where}, configuration {number}, {wrong}")
    return Found(tuple(results), tuple(left_out), "ML.ENERGY leaderboard")


def _result(whole: Cells, entry: Any) -> Result:
    if not isinstance(entry, Mapping):
        raise CellError("is no object")
    cells = Cells(entry)
    query = next((item for item, name in _ITEMS.items() if name in cells), "query")
    per_query = cells.above_zero(_ITEMS.get(query, "energy_per_request_joules"))
    if per_query is None:
        raise CellError("has no energy per request, image or video")
    setup = _setup(whole, cells)
    gpus, watts = setup.gpus or 1, cells.number("avg_power_watts")
    output = cells.number("output_throughput_tokens_per_sec")
    itl_s = seconds(cells.number("median_itl_ms"))
    return Result(
        name=_name(whole, cells, setup),
        setup=setup,
        query=query,
        throughput=Throughput(output=output and output / gpus),
        means=Means(
            cells.number("batch_latency_s"), tpot_s=itl_s, interactivity=1 / itl_s if itl_s else None
        ),
        energy=ToolEnergy("counter", "gpu", "Zeus", j_per_query=per_query, power_w=watts and watts / gpus),
        doubts=tuple(_doubts(cells, per_query)),
        notes=tuple(_notes(cells)),
    )


def _setup(whole: Cells, cells: Cells) -> Setup:
    return Setup(
        model=whole.text("model_id", "nickname"),
        precision=cells.text("weight_precision") or whole.text("weight_precision"),
        framework="vLLM" if "energy_per_token_joules" in cells else None,
        hardware=gpu_named(cells.text("gpu_model")),
        gpus=cells.count("num_gpus"),
        concurrency=cells.count("max_num_seqs", "batch_size"),
        output_length=cells.above_zero("avg_output_len"),
        flags=tuple(_flags(cells)),
    )


def _flags(cells: Cells) -> Iterator[str]:
    for name, value in cells.inside("parallelization").items():
        if isinstance(value, int) and not isinstance(value, bool) and value > 1:
            yield f"{name}={value}"
    for name in ("image_height", "image_width", "inference_steps", "num_frames", "height", "width", "fps"):
        if (found := cells.count(name)) is not None:
            yield f"{name}={found}"


def _name(whole: Cells, cells: Cells, setup: Setup) -> str:
    parts = [setup.model, whole.text("task"), setup.precision, f"{setup.gpus or '?'}x{setup.hardware}"]
    parts += [
        flag
        for flag in setup.flags
        if not flag.startswith(("image_height", "image_width", "height", "width"))
    ]
    load = "seqs" if "max_num_seqs" in cells else "batch"
    return " ".join(part for part in parts if part) + f"[{load}={setup.concurrency}]"


def _doubts(cells: Cells, per_query: float) -> Iterator[str]:
    per_token, length = cells.number("energy_per_token_joules"), cells.number("avg_output_len")
    if per_token is None or length is None or abs(per_token * length / per_query - 1) <= _AGREE:
        return
    yield (
        f"joules contradict each other: {per_token:.4g} J/token x {length:.1f} tokens are "
        f"{per_token * length:.4g} J, told are {per_query:.4g} J per request"
    )


def _notes(cells: Cells) -> Iterator[str]:
    batch = cells.number("avg_batch_size")
    if batch is not None:
        yield f"on average {batch:.1f} requests were in the batch; times per token are medians"
