"""What every sensor of a real GPU shows while a load of known times goes on and off, for replaying it.

Datasheets do not tell what a board's sensors do, and a session reads only two of them. Here all are looked
at about each millisecond, by themselves, and each change of what one shows is kept with the times of the
readings on both of its sides. A trace of a minute is some hundred kilobytes.

    python benchmarks/board_trace.py PATH [--device UUID] [--brief]

It wants the GPU to itself, and torch with CUDA. ``PATH`` may end in ``.gz``.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from provenance import provenance

from pytest_whq.calibrating.cuda_load import CudaLoad, cuda_load
from pytest_whq.errors import SourceError
from pytest_whq.sources.base import Probe
from pytest_whq.sources.nvml.source import NvmlSource

LOOK_EVERY_S = 0.001
PHASE_STEP = 0.618034
"""Turns begin at ever new moments of a refresh: the golden ratio spreads any number of them evenly."""

Turn = tuple[float, float]
"""Seconds on, and seconds off after it."""


def main() -> int:
    """Record and write; 2 where there is nothing to record."""
    options = _options()
    try:
        source = NvmlSource(options.device)
    except SourceError as error:
        print(f"Nothing can be recorded here: {error}", file=sys.stderr)
        return 2
    device = source.devices()[0]
    load = cuda_load(device)
    if load is None:
        print("Nothing can be recorded here: torch is missing or sees no such GPU.", file=sys.stderr)
        return 2
    probes = [probe for probe in source.probes() if probe.device.id == device.id]
    recorder = Recorder(probes, load)
    for name, turns in _script(options.brief):
        recorder.play(name, turns)
    document = {
        **provenance(("pytest-whq", "nvidia-ml-py", "torch")),
        "gpu": {"name": device.name, "power_limit_w": device.power_limit_w, "driver": source.driver},
        "load": load.name,
        "sensors": recorder.sensors(),
        "turns": recorder.turns,
    }
    source.close()
    text = json.dumps(document, separators=(",", ":"))
    if options.path.suffix == ".gz":
        options.path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        options.path.write_text(text, "utf-8")
    for sensor in document["sensors"]:
        changes, costs = len(sensor["changes"]), sensor["reading_s"]
        print(f"{sensor['sensor']}: {changes} changes, a reading takes {costs['median'] * 1e6:.0f} us")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Record what the sensors of a GPU show under a known load.")
    parser.add_argument("path", type=Path, metavar="PATH", help="where the trace is written")
    parser.add_argument("--device", metavar="UUID", help="which GPU, where there are several")
    parser.add_argument("--brief", action="store_true", help="a third of it, in some 35 s")
    return parser.parse_args()


def _script(brief: bool) -> Iterator[tuple[str, Sequence[Turn]]]:
    """Rest, single windows as tests have them, alternating loads, and a long load with its cooling."""
    share = 3 if brief else 1
    yield "rest", [(0.0, 6.0 / share)]
    for on_s, count in ((0.05, 12), (0.1, 12), (0.3, 9), (1.0, 6)):
        yield f"windows of {on_s:g} s", list(_spread(on_s, 0.9, count // share))
    for half_s in (0.01, 0.025, 0.05):
        yield f"alternating each {half_s:g} s", [(half_s, half_s)] * round(3 / share / half_s / 2)
        yield "rest", [(0.0, 1.0)]
    yield "a long load", [(15.0 / share, 25.0 / share)]


def _spread(on_s: float, off_s: float, count: int) -> Iterator[Turn]:
    for number in range(count):
        yield on_s, off_s + number * PHASE_STEP % 1 * 0.1


class Recorder:
    """Watches ``probes`` while ``load`` goes on and off; times are seconds since it was made."""

    def __init__(self, probes: Sequence[Probe], load: CudaLoad) -> None:
        self._probes, self._load = probes, load
        self._costs_s: list[list[float]] = [[] for _ in probes]
        self._shown: list[tuple[float, float | None]] = [(0.0, None)] * len(probes)
        self._changes: list[list[tuple[float, float, float | None]]] = [[] for _ in probes]
        self._zero_s = time.monotonic()
        self.turns: list[dict[str, Any]] = []

    def play(self, name: str, turns: Sequence[Turn]) -> None:
        """Let the load take these turns."""
        for on_s, off_s in turns:
            if on_s:
                before_s = self._now_s()
                self._load.switch(on=True)
                begun_s = self._now_s()
                self._watch(begun_s + on_s)
                ending_s = self._now_s()
                self._load.switch(on=False)
                times_s = (before_s, begun_s, ending_s, self._now_s())
                self.turns.append({"name": name, "times_s": [round(time_s, 6) for time_s in times_s]})
            else:
                self.turns.append({"name": name, "times_s": [round(self._now_s(), 6)]})
            self._watch(self._now_s() + off_s)

    def sensors(self) -> list[dict[str, Any]]:
        """Of each: what a reading takes, and the changes as [last seen before, first seen, value]."""
        return [
            {
                "sensor": probe.sensor,
                "counts": probe.counts,
                "readings": len(costs_s),
                "reading_s": {
                    "median": median(costs_s),
                    "p99": quantiles(costs_s, n=100)[-1],
                    "max": max(costs_s),
                },
                "changes": [(round(a, 5), round(b, 5), shown) for a, b, shown in changes],
            }
            for probe, costs_s, changes in zip(self._probes, self._costs_s, self._changes, strict=True)
        ]

    def _watch(self, until_s: float) -> None:
        while (now_s := self._now_s()) < until_s:
            for number, probe in enumerate(self._probes):
                self._look(number, probe)
            time.sleep(min(LOOK_EVERY_S, max(0.0, until_s - now_s)))

    def _look(self, number: int, probe: Probe) -> None:
        before_s = self._now_s()
        shown = probe.look()
        after_s = self._now_s()
        self._costs_s[number].append(after_s - before_s)
        last_s, last = self._shown[number]
        middle_s = (before_s + after_s) / 2
        if shown != last:
            self._changes[number].append((last_s, middle_s, shown))
        self._shown[number] = (middle_s, shown)

    def _now_s(self) -> float:
        return time.monotonic() - self._zero_s


if __name__ == "__main__":
    sys.exit(main())
