"""What measuring costs: the sampler's share of a core, the slowdown of Python code, memory, and each call.

Each figure stands beside its limit, where it has one:

- the CPU time of the sampler's thread in a window, and the time that it spends in readings, as shares
  of the window, on simulated GPUs whose readings burn CPU for as long as they take;
- how much longer a pure-Python workload takes in a window than without one, in turns: the median ratio
  of the pairs and its 95 % interval. On a virtual machine that is the machine's own noise, some tens of
  percent either way;
- so the same once more within one window: how much longer short pieces of it take in which a reading falls
  than those beside them, times the readings in a second, with a 95 % interval by resampling;
- the bytes that are kept of a window of a day, in virtual time, with a power sensor that never shows
  the same value twice in a row;
- what ``whq(call)`` adds to a call that does nothing, in a pytest run of its own.

    python benchmarks/overhead.py [--seconds 20] [--pairs 25] [--hours 24] [--json PATH] [--check]
    python benchmarks/overhead.py --gpu      # sampler and slowdown alone, on this machine's own GPUs
"""

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from provenance import provenance, write
from startup import Ratio
from tabulate import tabulate

from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Reading
from pytest_whq.sources.nvml.source import NvmlSource
from pytest_whq.testing import FakeClock, ScriptedSource
from pytest_whq.units import format_percent, format_quantity

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from simulated_nvml import SimulatedNvml


@dataclass(frozen=True, slots=True)
class Figure:
    """One cost; ``unit`` is ``ratio``, ``B`` or ``s``, and ``interval95`` where it was estimated.

    Its value is ``None`` where the time was too short, or the machine too busy, to tell it.
    """

    what: str
    value: float | None
    unit: str
    limit: float | None = None
    interval95: tuple[float, float] | None = None

    @property
    def misses(self) -> bool:
        """Whether it is above its limit, or nothing tells that it is not."""
        return self.limit is not None and (self.value is None or self.value > self.limit)

    def row(self) -> list[str]:
        """Its line in the table."""
        interval = "" if self.interval95 is None else " to ".join(map(self._format, self.interval95))
        limit = "" if self.limit is None else self._format(self.limit)
        return [self.what, self._format(self.value), interval, limit, "missed" if self.misses else ""]

    def _format(self, value: float | None) -> str:
        if value is None:
            return "not told"
        return format_percent(value) if self.unit == "ratio" else format_quantity(value, self.unit)


def main() -> int:
    """Measure and print; 1 with ``--check`` where a limit is missed."""
    options = _options()
    figures = _of_own_gpus(options) if options.gpu else _of_simulated_gpus(options)
    print(tabulate([f.row() for f in figures], ["", "", "95 % interval", "limit", ""], disable_numparse=True))
    if options.json is not None:
        document = {**provenance(), "pairs": options.pairs, "figures": [asdict(f) for f in figures]}
        write(options.json, document)
    return 1 if options.check and any(figure.misses for figure in figures) else 0


def _of_own_gpus(options: argparse.Namespace) -> list[Figure]:
    rig = nullcontext()
    return [
        *sampler_shares("own GPUs", options.seconds, 0.01, rig),
        slowdown("own GPUs", options.pairs, rig),
        held_up("own GPUs", options.seconds, rig),
    ]


def _of_simulated_gpus(options: argparse.Namespace) -> list[Figure]:
    return [
        *sampler_shares("one GPU", options.seconds, 0.01, _simulated()),
        *sampler_shares("one GPU, readings of 1 ms", options.seconds, 0.01, _simulated(cost_ms=1)),
        *sampler_shares("eight GPUs, readings of 1 ms", options.seconds, 0.03, _simulated(8, cost_ms=1)),
        slowdown("one GPU", options.pairs, _simulated()),
        slowdown("one GPU, readings of 1 ms", options.pairs, _simulated(cost_ms=1)),
        held_up("one GPU", options.seconds, _simulated()),
        held_up("one GPU, readings of 1 ms", options.seconds, _simulated(cost_ms=1)),
        memory(options.hours, counter=True),
        # A power sensor's readings grow evenly with time, and take minutes to go through.
        memory(options.hours / 12, counter=False),
        *call_costs(options.seconds),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what measuring costs.")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of a window (default: 20)")
    parser.add_argument("--pairs", type=int, default=25, metavar="N", help="of workloads (default: 25)")
    parser.add_argument(
        "--hours", type=float, default=24.0, metavar="H", help="of virtual time (default: 24)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    parser.add_argument("--gpu", action="store_true", help="measure this machine's own GPUs, nothing else")
    parser.add_argument("--check", action="store_true", help="fail where a limit is missed")
    return parser.parse_args()


# -- the sampler's thread ------------------------------------------------------------------------------


class TimedSource(NvmlSource):
    """NVML, the seconds that its readings have taken, and when they began."""

    def __init__(self) -> None:
        super().__init__()
        self.spent_s, self.began_s = 0.0, list[float]()

    def read(self) -> tuple[Reading, ...]:
        """Read, and take the time."""
        started_s = time.perf_counter()
        self.began_s.append(started_s)
        readings = super().read()
        self.spent_s += time.perf_counter() - started_s
        return readings


def sampler_shares(
    name: str, seconds: float, limit: float, rig: AbstractContextManager[Any]
) -> tuple[Figure, Figure]:
    """The sampler thread's CPU time, and its time in readings, as shares of one window."""
    with rig:
        source, clock = TimedSource(), SystemClock()
        meter = Meter(clock, Sampler(source, clock))
        wait(clock, meter.open())
        (thread,) = (one for one in threading.enumerate() if one.name == "pytest-whq sampler")
        assert thread.ident is not None
        cpu_clock = time.pthread_getcpuclockid(thread.ident)
        meter.begin()
        began_s, spent_s, cpu_s = time.perf_counter(), source.spent_s, time.clock_gettime(cpu_clock)
        time.sleep(seconds)
        cpu_s, spent_s = time.clock_gettime(cpu_clock) - cpu_s, source.spent_s - spent_s
        passed_s = time.perf_counter() - began_s
        meter.end()
        wait(clock, meter.close())
        source.close()
    return (
        Figure(f"CPU of the sampler in a window, {name}", cpu_s / passed_s, "ratio", limit),
        Figure(f"time in readings in a window, {name}", spent_s / passed_s, "ratio"),
    )


@contextmanager
def _simulated(gpus: int = 1, cost_ms: float = 0.0) -> Iterator[None]:
    nvml = SimulatedNvml(gpus)
    for gpu in nvml.gpus:
        gpu.configure(reading_cost_ms=cost_ms, reading_cost_spins=True)
    with nvml:
        yield


# -- the code that is measured ---------------------------------------------------------------------------

_EDGE_S = 0.3


def slowdown(name: str, pairs: int, rig: AbstractContextManager[Any]) -> Figure:
    """How much longer a pure-Python workload takes in a window than without."""
    inside_s, outside_s = [], []
    with rig:
        source, clock = NvmlSource(), SystemClock()
        sampler = Sampler(source, clock)
        for number in range(pairs + 1):
            turns: list[Callable[[], float]] = [lambda: _in_window(clock, sampler), _without_window]
            first_is_inside = number % 2 == 0
            times_s = [turn() for turn in (turns if first_is_inside else turns[::-1])]
            # The first pair warms up.
            if number > 0:
                inside_s.append(times_s[0 if first_is_inside else 1])
                outside_s.append(times_s[1 if first_is_inside else 0])
        source.close()
    ratio = Ratio.of(inside_s, outside_s)
    return Figure(
        f"slowdown of Python in a window, {name}",
        ratio.median - 1,
        "ratio",
        0.01,
        (ratio.low - 1, ratio.high - 1),
    )


def _in_window(clock: SystemClock, sampler: Sampler) -> float:
    meter = Meter(clock, sampler)
    wait(clock, meter.open())
    _workload_s()
    meter.begin()
    seconds = _workload_s()
    meter.end()
    wait(clock, meter.close())
    return seconds


def _without_window() -> float:
    # As long asleep before and after as a window takes to open and to close, for the scheduler's sake.
    time.sleep(_EDGE_S)
    _workload_s()
    seconds = _workload_s()
    time.sleep(_EDGE_S)
    return seconds


def _workload_s() -> float:
    """Seconds that some pure Python takes: a quarter of one, more or less.

    It runs once before it counts: a core that was asleep is slower at first.
    """
    started_s = time.perf_counter()
    numbers: dict[int, float] = {}
    for number in range(2_000_000):
        numbers[number % 1000] = number * 0.5
    return time.perf_counter() - started_s


_RESAMPLED = 400


def held_up(name: str, seconds: float, rig: AbstractContextManager[Any]) -> Figure:
    """What readings add to pure Python inside a window, by the pieces of it in which they fall."""
    with rig:
        source, clock = TimedSource(), SystemClock()
        meter = Meter(clock, Sampler(source, clock))
        wait(clock, meter.open())
        meter.begin()
        edges_s = [time.perf_counter()]
        while edges_s[-1] < edges_s[0] + seconds:
            _piece()
            edges_s.append(time.perf_counter())
        meter.end()
        wait(clock, meter.close())
        source.close()
    # At the beginning of a window readings are close, as at its edges.
    first = bisect_left(edges_s, edges_s[0] + min(1.0, seconds / 4))
    what, limit = f"slowdown by the readings in a window, {name}", 0.01
    readings_s = [one for one in source.began_s if edges_s[first] < one < edges_s[-1]]
    delays_s = delays(edges_s[first:], readings_s)
    if not delays_s:
        return Figure(what, None, "ratio", limit)
    per_second = len(readings_s) / (edges_s[-1] - edges_s[first])
    chance = random.Random(0)
    medians = sorted(median(chance.choices(delays_s, k=len(delays_s))) for _ in range(_RESAMPLED))
    low, high = medians[round(0.025 * _RESAMPLED)], medians[round(0.975 * _RESAMPLED) - 1]
    interval95 = (low * per_second, high * per_second)
    return Figure(what, median(delays_s) * per_second, "ratio", limit, interval95)


def delays(edges_s: Sequence[float], readings_s: Sequence[float]) -> list[float]:
    """How much longer than those near it took, in seconds, each piece in which a reading fell.

    Pieces lie between two ``edges_s`` each. None is told where every piece had a reading.
    """
    pieces_s = [after - before for before, after in pairwise(edges_s)]
    hit = {bisect_left(edges_s, one) - 1 for one in readings_s}
    # A reading that waits for the interpreter runs in the piece after that in which it began.
    touched = hit | {piece + 1 for piece in hit}
    quiet = [piece for piece in range(len(pieces_s)) if piece not in touched]
    if not quiet:
        return []
    return [
        sum(pieces_s[piece : piece + 2]) - 2 * median(pieces_s[near] for near in _nearest(quiet, piece))
        for piece in sorted(hit)
        if piece + 1 < len(pieces_s)
    ]


def _nearest(quiet: Sequence[int], piece: int) -> Sequence[int]:
    place = bisect_left(quiet, piece)
    return quiet[max(0, place - 10) : place + 10]


def _piece() -> None:
    """Some milliseconds of pure Python."""
    numbers: dict[int, float] = {}
    for number in range(20_000):
        numbers[number % 1000] = number * 0.5


# -- memory ----------------------------------------------------------------------------------------------


def memory(hours: float, *, counter: bool) -> Figure:
    """Bytes that measuring and its traces keep of one window, scaled to a day where ``hours`` is less."""
    clock = FakeClock()
    source = ScriptedSource(clock, watts=300.0, counter=counter)
    # Another power at each refresh, every 100 ms: nothing can be left out.
    source.alter = lambda reading: replace(reading, power_w=300.0 + math.floor(reading.time_s * 10) % 7)
    sampler = Sampler(source, clock)
    meter = Meter(clock, sampler)
    tracemalloc.start()
    wait(clock, meter.open())
    meter.begin()
    before = _kept_bytes()
    clock.sleep(hours * 3600)
    kept = (_kept_bytes() - before) * 24 / hours
    tracemalloc.stop()
    meter.abandon()
    sensor = "energy counter" if counter else "power only"
    return Figure(f"memory for a window of a day, {sensor}", kept, "B", 100e6)


def _kept_bytes() -> int:
    files = [tracemalloc.Filter(True, f"*/pytest_whq/{room}/*") for room in ("measuring", "joules")]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(files).traces)


# -- a call ----------------------------------------------------------------------------------------------

_TESTS = """
def test_none(whq):
    whq(lambda: None)

def test_chat_completion(whq):
    reply = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 34}}
    whq(lambda: reply)
"""


def call_costs(seconds: float) -> list[Figure]:
    """Seconds for each call of a function that does nothing but return its reply, through ``whq(call)``."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "test_calls.py").write_text(_TESTS)
        arguments = ["-q", "-p", "no:cacheprovider", "--whq-source=estimate", "--whq-rounds=3"]
        arguments += [f"--whq-max-seconds={seconds}", f"--whq-json={folder / 'run.json'}"]
        command = [sys.executable, "-m", "pytest", *arguments, str(folder)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        records = json.loads((folder / "run.json").read_text("utf-8"))["records"]
    whats = ("None", "a chat completion")
    return [
        Figure(f"whq(call) of a call that returns {what}", record["duration_s"] / record["queries"], "s")
        for what, record in zip(whats, records, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main())
