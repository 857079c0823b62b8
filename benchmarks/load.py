"""What the load generator itself costs: `whq.load` with a call that does nothing, measured in this process.

Prints queries per second, microseconds of CPU time per query and bytes per query at the peak, for coroutine
functions and for functions in threads; then what it costs to follow a stream, per chunk.

    python benchmarks/load.py [--queries 100000] [--concurrency 256] [--json benchmarks/results/load.json]
"""

import argparse
import asyncio
import platform
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from provenance import provenance, write

from pytest_whq.calling.load import load
from pytest_whq.calling.load_plan import LoadPlan
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.plan import Plan
from pytest_whq.queries.query import StreamedQuery

REPLY = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way of calling costs per query, ``peak_bytes`` being the most memory that was held for it.

    ``peak_mb`` is the most that the whole process has held so far.
    """

    call: str
    queries: int
    queries_per_s: float
    cpu_us: float
    peak_bytes: float | None
    peak_mb: float


async def _nothing(_: int) -> None:
    pass


async def _reply(_: int) -> dict[str, Any]:
    return REPLY


def _nothing_in_a_thread(_: int) -> None:
    pass


CALLS: dict[str, Callable[[int], Any]] = {
    "no-op coroutine": _nothing,
    "coroutine that replies": _reply,
    "no-op function": _nothing_in_a_thread,
}


CHUNKS: dict[str, object] = {
    "chunk of a chat, a dict": {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}],
        "usage": None,
    },
    "chunk of text": "Hi ",
}


def main() -> int:
    """Measure and print."""
    options = _options()
    costs = [
        _cost(name, call, options.queries, options.concurrency, keep=not options.no_memory)
        for name, call in CALLS.items()
    ]
    print(f"concurrency {options.concurrency}, Python {platform.python_version()}\n")
    print(f"{'call':<24}{'queries':>10}{'queries/s':>12}{'CPU us':>9}{'peak bytes':>12}{'peak MB':>9}")
    for cost in costs:
        held = "-" if cost.peak_bytes is None else f"{cost.peak_bytes:.0f}"
        print(
            f"{cost.call:<24}{cost.queries:>10}{cost.queries_per_s:>12.0f}{cost.cpu_us:>9.1f}"
            f"{held:>12}{cost.peak_mb:>9.0f}"
        )
    chunks_us = {name: _chunk_us(chunk, min(options.queries, 100_000)) for name, chunk in CHUNKS.items()}
    print(
        "\n" + "\n".join(f"{name:<24}{cost_us:>39.1f} CPU us a chunk" for name, cost_us in chunks_us.items())
    )
    if options.json is not None:
        document = provenance() | {
            "concurrency": options.concurrency,
            "costs": [asdict(cost) for cost in costs],
            "chunk_us": chunks_us,
        }
        write(options.json, document)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the load generator costs per query.")
    parser.add_argument("--queries", type=int, default=100_000, metavar="N")
    parser.add_argument("--concurrency", type=int, default=256, metavar="N")
    parser.add_argument(
        "--no-memory", action="store_true", help="leave out the bytes per query, which take a while"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    return parser.parse_args()


def _cost(name: str, call: Callable[[int], Any], queries: int, concurrency: int, *, keep: bool) -> Cost:
    started_s, cpu_s = time.perf_counter(), time.process_time()
    _run(call, queries, concurrency)
    wall_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    held = _bytes_at_peak(call, min(queries, 50_000), concurrency) if keep else None
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(name, queries, queries / wall_s, cpu_s / queries * 1e6, held, peak_mb)


def _chunk_us(chunk: object, chunks: int) -> float:
    query = StreamedQuery(time.monotonic, 0.0)
    cpu_s = time.process_time()
    for _ in range(chunks):
        query.take(chunk)
    return (time.process_time() - cpu_s) / chunks * 1e6


def _run(call: Callable[[int], Any], queries: int, concurrency: int) -> tuple[Ledger, Any]:
    ledger = Ledger(Instruments(), Plan(warmup=0))
    replies = load(ledger, call, range(queries), LoadPlan(concurrency))
    return ledger, asyncio.run(_awaited(replies)) if asyncio.iscoroutine(replies) else replies


async def _awaited(replies: Any) -> Any:
    return await replies


def _bytes_at_peak(call: Callable[[int], Any], queries: int, concurrency: int) -> float:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        _, replies = _run(call, queries, concurrency)
        assert len(replies) == queries
        _, peak = tracemalloc.get_traced_memory()
        return (peak - before) / queries
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    sys.exit(main())
