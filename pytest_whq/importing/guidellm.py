"""GuideLLM's ``benchmarks.json``: a result for each load of the run, each with its own window."""

from collections.abc import Mapping
from typing import Any

from pytest_whq.importing.cells import CellError, Cells, seconds
from pytest_whq.importing.documents import Documents
from pytest_whq.importing.result import Found, Result
from pytest_whq.joules.spans import Span
from pytest_whq.model.imported import Means, Setup


def read(documents: Documents) -> Found:
    """The benchmarks of every document."""
    results, left_out = [], list(documents.left_out)
    for document in documents.documents:
        value = document.value
        if not isinstance(value, Mapping) or not isinstance(value.get("benchmarks"), list):
            left_out.append(f"{document.where} has no benchmarks: it is no report of GuideLLM")
            continue
        for number, entry in enumerate(value["benchmarks"], 1):
            try:
                results.append(_result(entry, Cells(value)))
            except CellError as wrong:
                left_out.append(f"{document.where}, benchmark {number}, {wrong}")
    return Found(tuple(results), tuple(left_out), "GuideLLM")


def _result(entry: Any, whole: Cells) -> Result:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("metrics"), Mapping):
        raise CellError("has no metrics")
    cells = Cells(entry)
    totals = _first(cells.inside("metrics", "request_totals"), cells.inside("run_stats", "requests_made"))
    queries = totals.count("successful")
    if queries is None:
        queries = cells.inside("scheduler_state").count("successful_requests")
    start_s, end_s = cells.moment_s("start_time"), cells.moment_s("end_time")
    span = Span(start_s, end_s) if start_s is not None and end_s is not None and end_s > start_s else None
    setup = _setup(cells, whole)
    tpot_s = seconds(_mean(cells, "inter_token_latency_ms"))
    return Result(
        name=f"{setup.model or 'GuideLLM'} {setup.flags[0]}"
        + (f"[conc={setup.concurrency}]" if setup.concurrency else ""),
        setup=setup,
        queries=queries,
        failed_queries=_failed(totals),
        input_tokens=_sum(cells, "prompt_token_count"),
        output_tokens=_sum(cells, "output_token_count"),
        duration_s=cells.number("duration") or (span.duration_s if span else None),
        span=span,
        means=Means(
            _mean(cells, "request_latency"),
            seconds(_mean(cells, "time_to_first_token_ms")),
            tpot_s,
            1 / tpot_s if tpot_s else None,
        ),
        notes=("incomplete requests, cut off at the end, count as failed",)
        if totals.count("incomplete")
        else (),
    )


def _first(*places: Cells) -> Cells:
    """The first that holds something: versions before 0.4 have it elsewhere."""
    return next((one for one in places if one.items()), places[-1])


def _failed(totals: Cells) -> int | None:
    told = [totals.count(name) for name in ("errored", "incomplete")]
    return None if None in told else sum(one or 0 for one in told)


def _setup(cells: Cells, whole: Cells) -> Setup:
    config = _first(cells.inside("config"), cells.inside("args"))
    backend = config.inside("backend") if "backend" in config else whole.inside("args")
    strategy = config.inside("strategy")
    version = whole.inside("metadata").text("guidellm_version")
    return Setup(
        model=backend.text("model") or cells.inside("worker").text("backend_model"),
        framework=f"GuideLLM {version}" if version else None,
        concurrency=strategy.count("streams", "max_concurrency"),
        rate_per_s=strategy.number("rate"),
        input_length=_mean(cells, "prompt_token_count"),
        output_length=_mean(cells, "output_token_count"),
        flags=(strategy.text("type_") or "load",),
    )


def _mean(cells: Cells, name: str) -> float | None:
    return cells.inside("metrics", name, "successful").number("mean")


def _sum(cells: Cells, name: str) -> int | None:
    found = cells.inside("metrics", name, "successful").number("total_sum")
    return None if found is None else round(found)
