"""Two hours of a small cluster that serves, second by second, and what a Prometheus has scraped of it."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from http_answers import Answer, answering

from pytest_whq.joules.spans import Span

START_S = 1_795_000_000 // 3600 * 3600.0
"""A full hour."""

BEFORE_S = 600
"""So long before the period, and after it, all runs already, or still."""

LASTS_S = 7200
PERIOD = Span(START_S, START_S + LASTS_S)

EDGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Sample = tuple[float, float]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Production:
    """Four GPUs on two nodes, and one vLLM. Times are seconds after the start of the period.

    The exporter of node-1 is started anew at ``exporter_restart``, and its counters with it; the engine at
    ``engine_restart``, which takes ``engine_down`` seconds. Nothing is scraped in ``gap``, and nothing of
    node-2 after ``leaves``. GPUs show no counter with ``gauge``.
    """

    interval_s: int = 15
    exporter_restart: int | None = None
    engine_restart: int | None = None
    engine_down: int = 30
    gap: tuple[int, int] | None = None
    leaves: int | None = None
    gauge: bool = False

    @staticmethod
    def power_w(gpu: int, second: int) -> float:
        """What a GPU draws in that second."""
        busy = second // 300 % 3 != gpu % 3
        return (520.0 if busy else 140.0) + 10 * (second * 7 % 11 - 5)

    def requests(self, second: int) -> int:
        """How many end in that second."""
        if not self._up("vllm", second):
            return 0
        return 1 + (second // 300 % 3 != 1) + second % 2

    def true_j(self, span: Span = PERIOD) -> float:
        """Joules of the four GPUs in a span."""
        return sum(self.power_w(gpu, second) for gpu in range(4) for second in seconds_of(span))

    def true_queries(self, span: Span = PERIOD) -> int:
        """Requests that ended in a span."""
        return sum(self.requests(second) for second in seconds_of(span))

    @cache  # noqa: B019 - a test or two ask for the same
    def series(self) -> dict[Labels, list[Sample]]:
        """What was scraped, in the order of time."""
        found: dict[Labels, list[Sample]] = {}
        counted: dict[Labels, float] = {}
        for second in range(-BEFORE_S, LASTS_S + BEFORE_S):
            if second == self.exporter_restart:
                counted = {k: v for k, v in counted.items() if ("Hostname", "node-1") not in k}
            if self.engine_restart is not None and second == self.engine_restart:
                counted = {k: v for k, v in counted.items() if ("job", "vllm") not in k}
            for labels, more in self._in_second(second):
                counted[labels] = counted.get(labels, 0.0) + more
            if second % self.interval_s == 0 and self._is_scraping(second):
                up = (("__name__", "up"), ("instance", "node-1:8000"), ("job", "vllm"))
                found.setdefault(up, []).append((START_S + second, float(self._up("vllm", second))))
            for labels, value in counted.items() if second % self.interval_s == 0 else ():
                if self._is_scraped(labels, second):
                    shown = (
                        self.power_w(int(dict(labels)["gpu"]), second) if self._is_gauge(labels) else value
                    )
                    found.setdefault(labels, []).append((START_S + second, shown))
        return found

    def _is_scraping(self, second: int) -> bool:
        return self.gap is None or not self.gap[0] <= second < self.gap[1]

    def _up(self, job: str, second: int) -> bool:
        """Whether a target answers its scrape then."""
        restart = self.engine_restart
        return job != "vllm" or restart is None or not restart <= second < restart + self.engine_down

    def _in_second(self, second: int) -> Iterator[tuple[Labels, float]]:
        name = "DCGM_FI_DEV_POWER_USAGE" if self.gauge else "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
        for gpu in range(4):
            yield dcgm(name, gpu), 1000 * self.power_w(gpu, second)
        if not self._up("vllm", second):
            return
        requests = self.requests(second)
        yield vllm("request_success_total", finished_reason="stop"), requests
        if second % 60 == 0:
            yield vllm("request_success_total", finished_reason="abort"), 1
        yield vllm("prompt_tokens_total"), 400 * requests
        yield vllm("prefix_cache_hits_total"), 100 * requests
        length = 40 if second % 4 else 160
        yield vllm("generation_tokens_total"), length * requests
        for edge in EDGES:
            yield vllm("request_generation_tokens_bucket", le=f"{edge}.0"), requests * (length <= edge)
        yield vllm("request_generation_tokens_bucket", le="+Inf"), requests

    def _is_scraped(self, labels: Labels, second: int) -> bool:
        if not self._is_scraping(second):
            return False
        if not self._up(dict(labels)["job"], second):
            return False
        return self.leaves is None or second < self.leaves or ("Hostname", "node-2") not in labels

    def _is_gauge(self, labels: Labels) -> bool:
        return self.gauge and ("job", "dcgm") in labels

    def serve(self) -> AbstractContextManager[str]:
        """The address of a server that answers from what was scraped, meanwhile."""
        return answering(Archive(self.series()))


class Archive:
    """A Prometheus that keeps ``series``, as far as range selectors ask for them."""

    def __init__(self, series: dict[Labels, list[Sample]]) -> None:
        self.series = series
        self.asked = 0

    def __call__(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked += 1
        asked = parse_qs(urlsplit(path).query)
        found = re.fullmatch(r"(?:(\w+)|\{__name__=~\"(.*?)\"(.*)\})\[(\d+)(ms|s)\]", asked["query"][0])
        assert found is not None, asked
        names = re.compile(found[1] or found[2])
        (end_s,) = map(float, asked["time"])
        start_s = end_s - float(found[4]) / (1000 if found[5] == "ms" else 1)
        result = [
            {"metric": dict(labels), "values": [[t, str(v)] for t, v in samples if start_s <= t <= end_s]}
            for labels, samples in self.series.items()
            if names.fullmatch(dict(labels)["__name__"])
        ]
        return _matrix([one for one in result if one["values"]])


@cache
def dcgm(name: str, gpu: int) -> Labels:
    """The labels of one of dcgm-exporter's metrics."""
    node = f"node-{1 + gpu // 2}"
    labels = {"__name__": name, "Hostname": node, "UUID": f"GPU-{gpu}", "gpu": str(gpu)}
    labels |= {"instance": f"{node}:9400", "job": "dcgm", "modelName": "NVIDIA H100 80GB HBM3"}
    return tuple(sorted(labels.items()))


@cache
def vllm(name: str, **labels: str) -> Labels:
    """The labels of one of its counters."""
    every = {"__name__": f"vllm:{name}", "engine": "0", "instance": "node-1:8000", "job": "vllm"}
    return tuple(sorted((every | {"model_name": "openai/gpt-oss-120b"} | labels).items()))


def seconds_of(span: Span) -> range:
    """The seconds of a span, after the start of the period."""
    return range(round(span.start_s - START_S), round(span.end_s - START_S))


def _matrix(result: Sequence[Any]) -> Answer:
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return Answer(json.dumps(answer), media="application/json")
