"""Tools whose summaries tell counts and rates but no moments: inference-perf, LLMPerf, llama-bench."""

from collections.abc import Callable, Mapping
from typing import Any

from pytest_whq.importing.cells import CellError, Cells, seconds
from pytest_whq.importing.documents import Documents
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.importing.result import Found, Result, Throughput
from pytest_whq.model.imported import Means, Setup


def read_inference_perf(documents: Documents) -> Found:
    """``summary_lifecycle_metrics.json`` and those of single stages."""
    return _read(documents, "inference-perf", _inference_perf)


def read_llmperf(documents: Documents) -> Found:
    """LLMPerf's ``*_summary.json``."""
    return _read(documents, "LLMPerf", _llmperf)


def read_llama_bench(documents: Documents) -> Found:
    """llama-bench's JSON and JSONL: a query is one repetition."""
    return _read(documents, "llama-bench", _llama_bench)


def _read(documents: Documents, tool: str, result_of: Callable[[Cells], Result]) -> Found:
    results, left_out = [], list(documents.left_out)
    for document in documents.documents:
        whole = document.value if isinstance(document.value, list) else [document.value]
        for number, value in enumerate(whole, 1):
            where = f"{document.where}, item {number}," if len(whole) > 1 else document.where
            try:
                if not isinstance(value, Mapping):
                    raise CellError("is no object")
                results.append(result_of(Cells(value)))
            except CellError as wrong:
                left_out.append(f"{where} {wrong}")
    return Found(tuple(results), tuple(left_out), tool)


def _inference_perf(cells: Cells) -> Result:
    done = cells.inside("successes")
    queries, rate = done.count("count"), done.inside("throughput").above_zero("requests_per_sec")
    if queries is None or rate is None:
        raise CellError("has no successes with a count and a rate: it is no summary of inference-perf")
    lengths = [_length(done, "prompt_len", "prompt_tokens"), _length(done, "output_len", "output_tokens")]
    times = done.inside("latency")
    tpot_s = times.inside("time_per_output_token").number("mean")
    total = done.inside("throughput").number("total_tokens_per_sec")
    load = cells.inside("load_summary")
    return Result(
        name=f"inference-perf[rate={load.number('requested_rate') or rate:g}]",
        setup=Setup(
            framework="inference-perf",
            rate_per_s=load.number("requested_rate"),
            input_length=lengths[0],
            output_length=lengths[1],
        ),
        queries=queries,
        failed_queries=cells.inside("failures").count("count"),
        input_tokens=_sum(lengths[0], queries),
        output_tokens=_sum(lengths[1], queries),
        duration_s=queries / rate,
        throughput=Throughput(total),
        means=Means(
            times.inside("request_latency").number("mean"),
            times.inside("time_to_first_token").number("mean"),
            tpot_s,
            1 / tpot_s if tpot_s else None,
        ),
    )


def _length(cells: Cells, *names: str) -> float | None:
    return next((found for name in names if (found := cells.inside(name).number("mean")) is not None), None)


def _sum(length: float | None, queries: int | None) -> int | None:
    return None if length is None or queries is None else round(length * queries)


def _llmperf(cells: Cells) -> Result:
    queries = cells.count("results_num_completed_requests")
    per_minute = cells.above_zero("results_num_completed_requests_per_min")
    if queries is None or per_minute is None:
        raise CellError("has no results_num_completed_requests: it is no summary of LLMPerf")
    lengths = (
        cells.number("results_number_input_tokens_mean"),
        cells.number("results_number_output_tokens_mean"),
    )
    tpot_s = cells.number("results_inter_token_latency_s_mean")
    concurrency = cells.count("num_concurrent_requests")
    return Result(
        name=f"{cells.text('model') or 'LLMPerf'}[conc={concurrency}]",
        setup=Setup(
            model=cells.text("model"),
            framework="LLMPerf",
            concurrency=concurrency,
            input_length=lengths[0],
            output_length=lengths[1],
        ),
        queries=queries,
        failed_queries=cells.count("results_number_errors"),
        input_tokens=_sum(lengths[0], queries),
        output_tokens=_sum(lengths[1], queries),
        duration_s=queries / per_minute * 60,
        means=Means(
            cells.number("results_end_to_end_latency_s_mean"),
            cells.number("results_ttft_s_mean"),
            tpot_s,
            1 / tpot_s if tpot_s else None,
        ),
    )


def _llama_bench(cells: Cells) -> Result:
    samples: Any = cells.first("samples_ns")
    if not isinstance(samples, list) or not samples or "avg_ts" not in cells:
        raise CellError("has no samples_ns and avg_ts: it is no result of llama-bench")
    prompt, generated = cells.count("n_prompt") or 0, cells.count("n_gen") or 0
    queries, speed = len(samples), cells.above_zero("avg_ts")
    name = cells.text("model_filename") or cells.text("model_type") or "llama-bench"
    gpu = cells.text("gpu_info", "cpu_info")
    return Result(
        name=f"{name.rpartition('/')[2]} pp{prompt} tg{generated}",
        setup=Setup(
            model=cells.text("model_type"),
            framework=f"llama.cpp {cells.text('backends', 'backend') or ''}".strip(),
            hardware=gpu_named(gpu),
            concurrency=1,
            input_length=float(prompt),
            output_length=float(generated),
            commit=cells.text("build_commit"),
            date=cells.text("test_time"),
        ),
        queries=queries,
        failed_queries=0,
        input_tokens=prompt * queries,
        output_tokens=generated * queries,
        duration_s=sum(Cells({"ns": one}).number("ns") or 0.0 for one in samples) / 1e9,
        throughput=Throughput(speed),
        means=Means(
            latency_s=seconds((cells.number("avg_ns") or 0.0) / 1e6) or None,
            interactivity=speed if generated and not prompt else None,
        ),
    )
