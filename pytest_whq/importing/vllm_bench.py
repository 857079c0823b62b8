"""``vllm bench serve``: a result is one object, or a line of a file of them; some forks tell when it ran."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_whq.importing.cells import LARGEST, CellError, Cells, seconds
from pytest_whq.importing.collecting import one_of_each
from pytest_whq.importing.documents import Documents
from pytest_whq.importing.result import Found, Result
from pytest_whq.joules.spans import Span
from pytest_whq.model.imported import Means, Setup


def read(documents: Documents) -> Found:
    """The result of every document."""
    return _read(documents, "vllm bench serve", "request_throughput")


def read_sglang(documents: Documents) -> Found:
    """The lines of SGLang's bench_serving, like vLLM's but for the names of some times."""
    return _read(documents, "sglang bench_serving", "completed")


def _read(documents: Documents, tool: str, needed: str) -> Found:
    return one_of_each(
        _objects(documents), tool, lambda value: _result(value, tool, needed), documents.left_out
    )


def _objects(documents: Documents) -> Iterator[tuple[str, Any]]:
    for document in documents.documents:
        if isinstance(document.value, list):
            yield from ((f"{document.where}, item {n}", one) for n, one in enumerate(document.value, 1))
        else:
            yield document.where, document.value


def _result(value: Any, tool: str, needed: str) -> Result:
    if not isinstance(value, Mapping) or not {"completed", "duration", needed} <= value.keys():
        raise CellError(f"has no completed and duration: it is no result of {tool}")
    cells = Cells(value)
    queries, duration_s = cells.count("completed"), cells.above_zero("duration")
    tokens_in, tokens_out = cells.count("total_input_tokens"), cells.count("total_output_tokens")
    setup = _setup(cells, queries, tokens_in, tokens_out)
    tpot_s = seconds(cells.number("mean_tpot_ms", "mean_itl_ms", "median_itl_ms"))
    return Result(
        name=_name(setup, tool),
        setup=setup,
        queries=queries,
        failed_queries=_failed(cells, queries),
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        duration_s=duration_s,
        span=_span(cells, duration_s),
        means=Means(
            seconds(cells.number("mean_e2el_ms", "mean_e2e_latency_ms")),
            seconds(cells.number("mean_ttft_ms")),
            tpot_s,
            1 / tpot_s if tpot_s else None,
        ),
        doubts=tuple(_doubts(cells)),
    )


def _setup(cells: Cells, queries: int | None, tokens_in: int | None, tokens_out: int | None) -> Setup:
    rate = cells.first("request_rate")
    return Setup(
        model=_model(cells),
        framework=cells.text("backend", "endpoint_type"),
        concurrency=cells.count("max_concurrency"),
        rate_per_s=float(rate) if isinstance(rate, int | float) and 0 < rate <= LARGEST else None,
        input_length=None if tokens_in is None or not queries else tokens_in / queries,
        output_length=None if tokens_out is None or not queries else tokens_out / queries,
        flags=() if (dataset := cells.text("dataset_name")) is None else (f"dataset={dataset}",),
        date=_day(cells.text("date")),
    )


def _model(cells: Cells) -> str | None:
    """The model's name: of a path, which is a place on one machine, the last part."""
    named = cells.text("model_id", "model")
    return named.rstrip("/").rpartition("/")[2] if named and named.startswith("/") else named


def _day(text: str | None) -> str | None:
    return text and f"{text[:4]}-{text[4:6]}-{text[6:8]}" if text and text[:8].isdigit() else text


def _name(setup: Setup, tool: str) -> str:
    load = f"conc={setup.concurrency}" if setup.concurrency else ""
    load = load or (f"rate={setup.rate_per_s:g}" if setup.rate_per_s else "rate=inf")
    return f"{setup.model or tool}[{load}]"


def _failed(cells: Cells, queries: int | None) -> int | None:
    """Requests that were sent and did not come back: told, or those missing from the number sent if more."""
    told, sent = cells.count("failed", "num_failed_requests"), cells.count("num_prompts")
    if sent is None or queries is None or sent < queries:
        return told
    return max(told or 0, sent - queries)


def _span(cells: Cells, duration_s: float | None) -> Span | None:
    start_s = cells.moment_s("benchmark_start_time_unix", "start_time_unix")
    end_s = cells.moment_s("benchmark_end_time_unix", "end_time_unix")
    if start_s is not None and end_s is None and duration_s is not None:
        end_s = start_s + duration_s
    if start_s is None or end_s is None:
        return None
    if end_s <= start_s:
        raise CellError(f"ends at {end_s:.1f}, before its start at {start_s:.1f}")
    return Span(start_s, end_s)


def _doubts(cells: Cells) -> Iterator[str]:
    if cells.flag("ignore_eos"):
        yield "output lengths are forced (ignore_eos)"
    counted, again = cells.number("total_output_tokens"), cells.number("total_output_tokens_retokenized")
    if counted and again and abs(again / counted - 1) > 0.02:
        yield f"output tokens are {counted:.0f} as the server counts, {again:.0f} when tokenized again"
