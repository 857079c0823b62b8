"""InferenceMAX, now InferenceX: ``agg_*.json`` objects and arrays, archives of them, rows of its API."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_whq.importing.cells import CellError, Cells
from pytest_whq.importing.collecting import one_of_each
from pytest_whq.importing.documents import Document, Documents
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.importing.result import Found, Result, Throughput, ToolEnergy
from pytest_whq.model.imported import Means, Setup
from pytest_whq.units import format_length

_FORCED = (
    "output lengths are forced (ignore_eos): models that would stop earlier, or go on, are not told apart"
)
_SOURCE = "InferenceX power log"
_WHOLE = 0.01
_AGREE = 0.02
"""How far a figure may be from what others give for it, where both are rounded by their writers."""


def read(documents: Documents) -> Found:
    """The rows of every document; a row that cannot be used is left out with a sentence."""
    return one_of_each(_rows(documents.documents), "InferenceMAX", _result, documents.left_out)


def _rows(documents: tuple[Document, ...]) -> Iterator[tuple[str, Any]]:
    for document in documents:
        value = document.value
        if isinstance(value, Mapping):
            value = next((value[name] for name in _WRAPPED_IN if isinstance(value.get(name), list)), value)
        if isinstance(value, list):
            yield from ((f"{document.where}, row {number}", row) for number, row in enumerate(value, 1))
        else:
            yield document.where, value


_WRAPPED_IN = ("data", "benchmarks", "rows", "results")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its ``metrics`` beside its other fields."""
    metrics = row.get("metrics")
    return {**row, **metrics} if isinstance(metrics, Mapping) else dict(row)


def _result(row: Any) -> Result:
    flat = _flat(row) if isinstance(row, Mapping) else {}
    if "tput_per_gpu" not in flat:
        raise CellError("has no tput_per_gpu: it is no row of InferenceMAX")
    cells = Cells(flat)
    disaggregated = bool(cells.flag("disagg"))
    setup = _setup(cells, disaggregated)
    doubts = [_FORCED] if setup.output_length is not None and not _traced(cells) else []
    energy, why, notes = _energy(cells, setup)
    queries = _queries(cells)
    tokens_in = cells.count("total_input_tokens", "input_tokens")
    tokens_out = cells.count("total_output_tokens", "output_tokens")
    if tokens_in is None and tokens_out is None and queries and energy is not None:
        # Without them joules of all queries would be of no number of tokens.
        tokens_in, tokens_out = (
            _all(length, queries) for length in (setup.input_length, setup.output_length)
        )
        notes.append(f"tokens are not told: they are taken as {queries:,} queries of the nominal lengths")
    return Result(
        name=_name(setup),
        setup=setup,
        queries=queries,
        failed_queries=cells.count("failed", "failed_requests", "num_failed"),
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        duration_s=cells.number("duration", "duration_s"),
        throughput=Throughput(
            cells.above_zero("tput_per_gpu"),
            cells.number("input_tput_per_gpu"),
            cells.number("output_tput_per_gpu"),
        ),
        means=Means(
            cells.number("mean_e2el"),
            cells.number("mean_ttft"),
            cells.number("mean_tpot"),
            cells.number("mean_intvty"),
        ),
        std_interactivity=cells.number("std_intvty"),
        energy=energy,
        why_no_energy=why,
        fixed_lengths=not _traced(cells),
        modelled=True,
        doubts=tuple(doubts),
        notes=tuple(notes),
    )


def _all(length: float | None, queries: int) -> int | None:
    return None if length is None else round(length * queries)


def _traced(cells: Cells) -> bool:
    """Whether queries were those of a recorded trace, whose lengths are counted and not asked for."""
    kind = cells.text("benchmark_type", "scenario_type", "scenario-type") or ""
    return "agent" in kind or "trace" in kind or "isl" not in cells


def _setup(cells: Cells, disaggregated: bool) -> Setup:
    lengths = cells.above_zero("isl"), cells.above_zero("osl")
    if _traced(cells):
        lengths = _mean_lengths(cells)
    prefill, decode = cells.count("num_prefill_gpu"), cells.count("num_decode_gpu")
    return Setup(
        model=cells.text("model", "infmax_model_prefix"),
        precision=cells.text("precision"),
        framework=cells.text("framework"),
        hardware=gpu_named(cells.text("hardware", "hw")),
        gpus=_gpus(cells, disaggregated, prefill, decode),
        prefill_gpus=prefill if disaggregated else None,
        decode_gpus=decode if disaggregated else None,
        concurrency=cells.count("conc", "concurrency", "users"),
        input_length=lengths[0],
        output_length=lengths[1],
        speculative_decoding=cells.text("spec_decoding", "spec_method"),
        flags=tuple(_flags(cells, disaggregated)),
        image=cells.text("image"),
        commit=cells.text("commit", "head_sha", "git_sha"),
        date=cells.text("date", "run_started_at"),
    )


def _mean_lengths(cells: Cells) -> tuple[float | None, float | None]:
    """Mean tokens of the queries of a trace, from its own sums."""
    queries = cells.above_zero("completed", "num_requests_successful", "successful_requests", "num_requests")
    total_in = cells.number("total_input_tokens", "input_tokens", "total_prompt_tokens")
    total_out = cells.number("total_output_tokens", "output_tokens", "total_generation_tokens")
    if queries and total_in is not None and total_out is not None:
        return total_in / queries, total_out / queries
    return cells.number("mean_isl", "mean_input_tokens"), cells.number("mean_osl", "mean_output_tokens")


def _gpus(cells: Cells, disaggregated: bool, prefill: int | None, decode: int | None) -> int | None:
    if disaggregated and prefill is not None and decode is not None:
        return prefill + decode
    # Where nothing is disaggregated both counts name the same GPUs.
    given = cells.count("num_gpus", "num_decode_gpu", "num_prefill_gpu")
    parallel = cells.count("tp", "decode_tp")
    return given if given is not None else parallel and parallel * (cells.count("pp") or 1)


def _flags(cells: Cells, disaggregated: bool) -> Iterator[str]:
    if disaggregated:
        yield "disaggregated"
    if cells.flag("is_multinode"):
        yield "multinode"
    for name in ("tp", "ep", "pp", "prefill_tp", "prefill_ep", "prefill_num_workers"):
        if (found := cells.count(name)) is not None:
            yield f"{name}={found}"
    for name in ("decode_tp", "decode_ep", "decode_num_workers"):
        if (found := cells.count(name)) is not None:
            yield f"{name}={found}"
    for name in ("dp_attention", "prefill_dp_attention", "decode_dp_attention"):
        if cells.flag(name):
            yield name
    if (offload := cells.text("offload_mode")) not in (None, "off"):
        yield f"offload={offload}"


def _name(setup: Setup) -> str:
    """What tells a row from others of its sweep, and from other sweeps, as the article's table has it."""
    lengths = [format_length(one) for one in (setup.input_length, setup.output_length) if one is not None]
    parts = [setup.model, setup.precision, setup.hardware and f"{setup.gpus or '?'}x{setup.hardware}"]
    parts += [setup.framework, "/".join(lengths)]
    if setup.speculative_decoding not in (None, "none"):
        parts.append(setup.speculative_decoding)
    if setup.prefill_gpus is not None:
        parts.append(f"prefill={setup.prefill_gpus},decode={setup.decode_gpus}")
    concurrency = "" if setup.concurrency is None else f"[conc={setup.concurrency}]"
    return " ".join(part for part in parts if part) + concurrency


def _queries(cells: Cells) -> int | None:
    told = cells.count("completed", "num_requests_successful", "successful_requests")
    whole_j, each_j = cells.number("total_gpu_energy_j"), cells.number("joules_per_successful_query")
    if told is None and whole_j and each_j and abs(whole_j / each_j - round(whole_j / each_j)) < _WHOLE:
        # Not told, but joules of all queries over joules of one are a whole number.
        told = round(whole_j / each_j)
    return told


def _energy(cells: Cells, setup: Setup) -> tuple[ToolEnergy | None, str | None, list[str]]:
    """Measured energy, or why there is none that can be used, and what else to say of it."""
    watts = cells.number("avg_power_w")
    if cells.flag("power_valid") is False:
        return None, "the row's own check of its power says that it is not valid (power_valid 0)", []
    if watts is None:
        return None, None, []
    if cells.number("power_metric_schema_version") == 2 and cells.flag("power_valid"):
        return _whole_deployment(cells, watts, setup), None, []
    return _recomputed(cells, watts, setup)


def _whole_deployment(cells: Cells, watts: float, setup: Setup) -> ToolEnergy:
    """Energy as schema version 2 defines it: of the boards of the whole deployment."""
    roles = {role: cells.number(f"{role}_gpu_energy_j") for role in ("prefill", "decode")}
    per_query = cells.above_zero("joules_per_successful_query")
    if per_query is None and (per_token := cells.above_zero("joules_per_total_token")) is not None:
        per_query = setup.tokens_per_query and per_token * setup.tokens_per_query
    return ToolEnergy(
        method="power",
        scope="gpu",
        source=_SOURCE,
        energy_j=cells.above_zero("total_gpu_energy_j"),
        j_per_query=per_query,
        power_w=watts,
        roles={role: energy_j for role, energy_j in roles.items() if energy_j is not None},
    )


def _recomputed(cells: Cells, watts: float, setup: Setup) -> tuple[ToolEnergy | None, str | None, list[str]]:
    """Energy of a row of before schema version 2: only what watts and throughput of all GPUs give."""
    throughput, tokens = cells.above_zero("tput_per_gpu"), setup.tokens_per_query
    told = cells.number("joules_per_total_token")
    if throughput is None or tokens is None:
        return None, "the row has power, but no throughput or lengths to go with it", []
    given = watts / throughput
    if not told or abs(given / told - 1) > _AGREE:
        against = "tells none per token" if not told else f"tells {told:.4g} J/token"
        why = "the row does not say what its joules are of (no power_metric_schema_version)"
        found = f"{watts:.0f} W / {throughput:.1f} tokens/s per GPU are {given:.4g} J/token"
        return None, f"{why}: {found}, and the row {against}", []
    energy = ToolEnergy("power", "gpu", _SOURCE, j_per_query=given * tokens, power_w=watts)
    kind = "counted" if _traced(cells) else "nominal"
    said = f"measured: {watts:.1f} W / {throughput:.1f} tokens/s per GPU x {tokens:.0f} {kind} tokens"
    return energy, None, [said]
