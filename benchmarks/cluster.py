"""What a rack costs the runner that measures it: 72 GPUs on nine nodes, and a month of them.

    python benchmarks/cluster.py [--seconds 60] [--hours 1] [--days 30] [--json PATH]

Nine exporters and a Prometheus are simulated by another process, whose time is not counted. A window of
``--seconds`` of the real clock is measured through ``dcgm:`` and through ``prometheus:``, scraped each
second: CPU of this process in it, and what opening and closing it add. A window of ``--hours`` of a
clock that is set forward tells the memory that its readings take. A period of ``--days``, scraped each
15 s, is imported.
"""

import argparse
import gc
import json
import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from provenance import provenance, write

from pytest_whq.cli.period import read_period
from pytest_whq.measuring.clock import Clock, SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.remote.dcgm import DcgmSource
from pytest_whq.sources.remote.prometheus import PrometheusSource
from pytest_whq.testing import FakeClock
from pytest_whq.units import format_moment as written

NODES, GPUS_OF_A_NODE = 9, 8
METRICS_OF_A_GPU = 25
"""As many as dcgm-exporter shows by default, about."""

SCRAPED_S, OF_A_PERIOD_S = 1, 15
START_S = 1_790_000_000.0


@dataclass(frozen=True)
class Figure:
    """One measured cost and its unit, with what it may be where something was promised."""

    what: str
    value: float
    unit: str
    limit: float | None = None


def labels_of(node: int, gpu: int) -> dict[str, str]:
    """What an exporter says of a GPU."""
    return {
        "gpu": str(gpu),
        "UUID": f"GPU-{node}-{gpu}",
        "device": f"nvidia{gpu}",
        "modelName": "NVIDIA GB200",
        "Hostname": f"node-{node}",
        "instance": f"node-{node}:9400",
        "job": "dcgm",
    }


def energy_mj(node: int, gpu: int, time_s: float) -> int:
    """What the counter of a GPU shows: 300 to 1,000 W, each its own."""
    return int(1000 * (time_s % 10_000_000) * (300 + 100 * gpu + 10 * node))


def page(node: int) -> str:
    """What the exporter of a node shows now."""
    lines = []
    for gpu in range(GPUS_OF_A_NODE):
        labels = ",".join(f'{name}="{value}"' for name, value in list(labels_of(node, gpu).items())[:5])
        lines.append(f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {energy_mj(node, gpu, time.time())}")
        lines.append(f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} {300 + 100 * gpu + 10 * node}")
        lines += [f"DCGM_FI_DEV_OTHER_{n}{{{labels}}} {n}" for n in range(METRICS_OF_A_GPU - 2)]
    return "\n".join([*lines, ""])


def answer(query: str, at_s: float | None, interval_s: float) -> str:
    """What a Prometheus that has scraped all of them, and a vLLM, answers to a query."""
    now_s = time.time() if at_s is None else at_s
    if query == "time()":
        return json.dumps(
            {"status": "success", "data": {"resultType": "scalar", "result": [now_s, str(now_s)]}}
        )
    found = re.search(r"\[(\d+)(ms|s)\]$", query)
    assert found is not None, query
    start_s = now_s - int(found[1]) / (1000 if found[2] == "ms" else 1)
    first = int(start_s // interval_s) + 1
    times_s = [n * interval_s for n in range(first, int(now_s // interval_s) + 1)]
    result: list[dict[str, Any]] = []
    if query.startswith("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"):
        for node in range(NODES):
            for gpu in range(GPUS_OF_A_NODE):
                metric = {"__name__": "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", **labels_of(node, gpu)}
                values = [[t, str(energy_mj(node, gpu, t))] for t in times_s]
                result.append({"metric": metric, "values": values})
    elif "vllm" in query:
        for name in ("request_success_total", "prompt_tokens_total", "generation_tokens_total"):
            metric = {"__name__": f"vllm:{name}", "instance": "node-0:8000", "job": "vllm"}
            result.append({"metric": metric, "values": [[t, str(int(t) * 10)] for t in times_s]})
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def _serve(pipe: Any) -> None:
    """Serve the pages, and a Prometheus of each interval, at addresses that go through ``pipe``."""
    handlers: list[Callable[[str], str]] = [lambda path, node=node: page(node) for node in range(NODES)]  # type: ignore[misc]
    for interval_s in (SCRAPED_S, OF_A_PERIOD_S):
        handlers.append(partial(_asked, interval_s))
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(each)) for each in handlers]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    pipe.send([f"http://127.0.0.1:{server.server_port}" for server in servers])
    pipe.recv()


def _asked(interval_s: float, path: str) -> str:
    asked = parse_qs(urlsplit(path).query)
    at_s = float(asked["time"][0]) if "time" in asked else None
    return answer(asked["query"][0], at_s, interval_s)


def _handler(given: Callable[[str], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = given(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Write no log."""

    return Handler


@contextmanager
def cluster() -> Iterator[list[str]]:
    """The addresses of the nine exporters and of both Prometheus, meanwhile."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def window(name: str, source: PowerSource, seconds: float) -> Iterator[Figure]:
    """A window of the real clock."""
    system: Clock = SystemClock()
    with closing(source):
        meter = Meter(system, Sampler(source, system))
        began_s = time.monotonic()
        wait(system, meter.open())
        opened_s = time.monotonic()
        cpu_s = time.process_time()
        meter.begin()
        time.sleep(seconds)
        meter.end()
        cpu_s = time.process_time() - cpu_s
        ended_s = time.monotonic()
        wait(system, meter.close())
        found = meter.measurement(precision=0.1)
    assert found.energy_j is not None, found.reasons
    yield Figure(f"{name}: CPU in a window, of one core", cpu_s / seconds, "", 0.05)
    yield Figure(f"{name}: opening a window", opened_s - began_s, "s")
    yield Figure(f"{name}: closing a window", time.monotonic() - ended_s, "s")


class Rack:
    """All the GPUs, as `DcgmSource` reads them, without a network."""

    scope = "gpu"
    settles_s = 10.0

    def __init__(self, clock: FakeClock) -> None:
        self._clock, self._due_s = clock, 0.0
        self._ids = [(n, g, f"GPU-{n}-{g}") for n in range(NODES) for g in range(GPUS_OF_A_NODE)]

    def devices(self) -> tuple[Device, ...]:
        """All of them."""
        return tuple(Device(id_, "NVIDIA GB200") for _, _, id_ in self._ids)

    def read(self) -> tuple[Reading, ...]:
        """What they show, five times a second."""
        now_s = self._clock.now()
        if now_s < self._due_s:
            return ()
        self._due_s = now_s + 0.2
        shown_s = now_s // 1.0
        return tuple(
            Reading(id_, now_s, energy_mj(node, gpu, shown_s) / 1000, 300.0 + 100 * gpu + 10 * node)
            for node, gpu, id_ in self._ids
        )

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing."""
        return ()

    def close(self) -> None:
        """Nothing is held."""


def long_window(hours: float) -> Iterator[Figure]:
    """What the readings of a long window take."""
    fake = FakeClock()
    meter = Meter(fake, Sampler(Rack(fake), fake))
    gc.collect()
    tracemalloc.start()
    wait(fake, meter.open())
    meter.begin()
    fake.sleep(hours * 3600)
    meter.end()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began_s = time.process_time()
    wait(fake, meter.close())
    found = meter.measurement(precision=0.1)
    assert found.energy_j is not None, found.reasons
    yield Figure(f"{hours:g} h: readings kept", kept / 2**20, "MiB", 200.0)
    yield Figure(f"{hours:g} h: CPU from its end to its figure", time.process_time() - began_s, "s")


def period(address: str, days: float) -> Iterator[Figure]:
    """What importing a period takes."""
    end_s = START_S + days * 86400
    options = argparse.Namespace(
        files=[address],
        start=written(START_S),
        end=written(end_s),
        utc_offset=None,
        by=["hour"],
        queries="vllm",
        energy=None,
    )
    gc.collect()
    before = _resident_mib()
    began_s, cpu_s = time.monotonic(), time.process_time()
    results = read_period(options)
    cpu_s = time.process_time() - cpu_s
    assert all(result.energy is not None for result in results), results[0].why_no_energy
    samples = days * 86400 / OF_A_PERIOD_S * (NODES * GPUS_OF_A_NODE + 3)
    yield Figure(f"{days:g} days: {samples / 1e6:.1f} million samples, CPU", cpu_s, "s")
    yield Figure(f"{days:g} days: with the simulated Prometheus", time.monotonic() - began_s, "s")
    yield Figure(f"{days:g} days: memory", max(0.0, _resident_mib(peak=True) - before), "MiB", 200.0)


def _resident_mib(*, peak: bool = False) -> float:
    text = Path("/proc/self/status").read_text("ascii")
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", text)
    assert found is not None
    return int(found[1]) / 1024


def main() -> int:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description="What a rack costs.")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="default: 60; 0 for none")
    parser.add_argument("--hours", type=float, default=1.0, metavar="H", help="default: 1")
    parser.add_argument("--days", type=float, default=30.0, metavar="D", help="default: 30")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there")
    options = parser.parse_args()
    figures: list[Figure] = []
    with cluster() as (*exporters, each_second, each_quarter):
        # First, while nothing else has grown this process.
        figures += period(each_quarter, options.days)
        if options.seconds:
            figures += window("dcgm", DcgmSource(",".join(exporters)), options.seconds)
            figures += window("prometheus", PrometheusSource(each_second), options.seconds)
    figures += long_window(options.hours)
    for figure in figures:
        limit = "" if figure.limit is None else f"   at most {figure.limit:g}"
        print(f"{figure.what:<55}{figure.value:10.3f} {figure.unit}{limit}")
    if options.json is not None:
        write(options.json, {**provenance(), "figures": [asdict(figure) for figure in figures]})
    return int(any(figure.limit is not None and figure.value > figure.limit for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
