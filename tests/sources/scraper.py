"""A Prometheus that scrapes GPUs whose power a test sets, in the clock's time, and answers as a real one."""

import json
import re
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from http_answers import Answer, answering

from pytest_whq.testing import FakeClock, ScriptedSource

AHEAD_S = 1_700_000_000.0
"""Its clock is so far from the one that the readings are to be in."""


class Scraper:
    """It scrapes each of ``gpus`` every ``interval_s``; each has the labels that stand beside it."""

    def __init__(
        self,
        clock: FakeClock,
        gpus: list[tuple[ScriptedSource, dict[str, str]]],
        *,
        interval_s: float = 1.0,
        factor: float = 1000.0,
    ) -> None:
        self.clock, self.gpus, self.interval_s, self.factor = clock, gpus, interval_s, factor
        self.samples: list[list[tuple[float, str]]] = [[] for _ in gpus]
        self.silent: set[int] = set()
        self.asked: list[tuple[str, str | None]] = []
        self.fails: Answer | None = None
        clock.repeat(self._scrape)

    def _scrape(self) -> float:
        for number, (gpu, _) in enumerate(self.gpus):
            if number not in self.silent:
                (reading,) = gpu.read()
                shown = reading.power_w if reading.energy_j is None else reading.energy_j * self.factor
                self.samples[number].append((round(self.clock.now() + AHEAD_S, 3), str(shown)))
        return self.interval_s

    def serve(self) -> AbstractContextManager[str]:
        """Its address, meanwhile."""
        return answering(self._answer)

    def _answer(self, path: str, headers: dict[str, str]) -> Answer:
        (query,) = parse_qs(urlsplit(path).query)["query"]
        self.asked.append((query, headers.get("Authorization")))
        if self.fails is not None:
            return self.fails
        now_s = self.clock.now() + AHEAD_S
        if query == "time()":
            return _data("scalar", [now_s, str(now_s)])
        found = re.fullmatch(r"(\w+)(?:\{.*\})?\[(\d+)s\]", query)
        assert found is not None, query
        since_s = now_s - int(found[2])
        result = [
            {"metric": labels, "values": [one for one in samples if since_s < one[0] <= now_s]}
            for (_, labels), samples in zip(self.gpus, self.samples, strict=True)
            if labels["__name__"] == found[1]
        ]
        return _data("matrix", [one for one in result if one["values"]])


def _data(kind: str, result: Any) -> Answer:
    answer = {"status": "success", "data": {"resultType": kind, "result": result}}
    return Answer(json.dumps(answer), media="application/json")
