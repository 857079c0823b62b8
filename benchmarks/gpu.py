"""Single windows on a real GPU with torch, each beside what its own energy counter says from rest to rest.

No instrument here knows what a real GPU draws. But its counter, where it sees all that is drawn, is exact
from a moment well before a call to one well after it: less the level at rest for the time outside, that is
the energy of this very call, with what the GPU drew while its power fell after it. The figure of pytest-whq
has to be got from the window's edges, at any phase of the counter, and leaves that tail out: a bias of as
much as the tail is right, a spread is not. The plain difference is the counter read at both edges.

    python benchmarks/gpu.py [--durations 0.05 0.1 0.3 1] [--windows 20] [--json PATH]
    python benchmarks/gpu.py --simulate      # on a simulated GPU, to try the script
"""

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from provenance import provenance, write
from tabulate import tabulate

from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.sources.nvml.source import NvmlSource
from pytest_whq.units import format_percent, format_quantity

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rig:
    """A GPU that can be measured, and what makes a call on it that lasts about so many seconds."""

    source: NvmlSource
    call_of: Callable[[float], Call]
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Errors:
    """Of single windows against their references, as ratios of these."""

    rms: float
    bias: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "Errors | None":
        """By energies and what they should be; None where there is no window."""
        errors = [energy_j / reference_j - 1 for energy_j, reference_j in pairs]
        if not errors:
            return None
        return cls(math.sqrt(fmean(error**2 for error in errors)), fmean(errors))

    def __str__(self) -> str:
        return f"{format_percent(self.rms)} ({format_percent(self.bias, signed=True)})"


@dataclass(frozen=True, slots=True)
class Window:
    """One window: its length, the joules from rest to rest, the plain difference, and what pytest-whq says.

    ``energy_j`` is None where pytest-whq refuses, for ``refused``; ``uncertainty_j`` is a standard one.
    """

    duration_s: float
    rest_w: float
    reference_j: float
    plain_j: float
    energy_j: float | None
    uncertainty_j: float | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Windows of one call, their errors as ratios of each one's own reference.

    ``stated`` is the mean of two stated uncertainties, ``within`` the share of the windows whose two stated
    uncertainties reach to the reference.
    """

    call_s: float
    reference_j: float
    ours: Errors | None
    stated: float | None
    within: float | None
    plain: Errors | None
    refused: dict[str, int]
    windows: tuple[Window, ...]


def main() -> int:
    """Compare and print; 2 where there is nothing to measure."""
    options = _options()
    try:
        with (_simulated_rig if options.simulate else _torch_rig)() as rig:
            (device,) = rig.source.devices()
            found = [_compare(rig, duration_s, options) for duration_s in options.durations]
            driver = rig.source.driver
    except (NoGpuError, SourceError) as error:
        print(f"Nothing can be measured here: {error}", file=sys.stderr)
        return 2
    print(f"{device.name}, {device.power_limit_w} W limit, driver {driver}")
    print(f"{options.windows} windows each: rms error (bias) against the counter from rest to rest\n")
    print(tabulate([_row(one) for one in found], _HEADERS, disable_numparse=True))
    if options.json is not None:
        document = {
            **provenance(("pytest-whq", "nvidia-ml-py", *rig.packages)),
            "simulated": options.simulate,
            "gpu": {**asdict(device), "driver": driver, "scope": rig.source.scope},
            "windows": options.windows,
            "comparisons": [asdict(one) for one in found],
        }
        write(options.json, document)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare windows with the energy counter around them.")
    parser.add_argument("--durations", type=float, nargs="+", default=[0.05, 0.1, 0.3, 1.0], metavar="S")
    parser.add_argument("--windows", type=int, default=20, metavar="N", help="of each duration (default: 20)")
    parser.add_argument("--simulate", action="store_true", help="on a simulated GPU, without torch")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    return parser.parse_args()


def _compare(rig: Rig, duration_s: float, options: argparse.Namespace) -> Comparison:
    bench = Bench(rig.source)
    call = rig.call_of(duration_s)
    windows = [bench.measure(call) for _ in range(options.windows)]
    stand = [
        (one.energy_j, one.uncertainty_j, one.reference_j)
        for one in windows
        if one.energy_j is not None and one.uncertainty_j is not None
    ]
    refused = [one.refused for one in windows if one.refused is not None]
    within = [abs(energy_j - reference_j) <= 2 * blur_j for energy_j, blur_j, reference_j in stand]
    return Comparison(
        call_s=fmean(one.duration_s for one in windows),
        reference_j=fmean(one.reference_j for one in windows),
        ours=Errors.of([(energy_j, reference_j) for energy_j, _, reference_j in stand]),
        stated=fmean(2 * blur_j / energy_j for energy_j, blur_j, _ in stand) if stand else None,
        within=fmean(within) if within else None,
        plain=Errors.of([(one.plain_j, one.reference_j) for one in windows]),
        refused={code: refused.count(code) for code in sorted(set(refused))},
        windows=tuple(windows),
    )


_REST_S, _FALL_S = 0.4, 0.2
"""Between windows, and after one until its power has fallen."""

_WATCH_S, _FEWEST_TICKS = 0.5, 4
"""For so long the counter is watched at rest, and for so many ticks."""

_STUCK_S = 5.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The first and the last tick of a stretch at rest."""

    start_s: float
    start_j: float
    end_s: float
    end_j: float

    @property
    def level_w(self) -> float:
        """Mean watts between them."""
        return (self.end_j - self.start_j) / (self.end_s - self.start_s)


class Bench:
    """Measures calls in windows of pytest-whq, and watches the energy counter around them by itself."""

    def __init__(self, source: NvmlSource) -> None:
        self._source, self._clock = source, SystemClock()
        self._sampler = Sampler(source, self._clock)

    def measure(self, call: Call) -> Window:
        """One window with ``call`` in it, begun at a random moment from rest."""
        time.sleep(_REST_S)
        before = self._watch()
        meter = Meter(self._clock, self._sampler)
        wait(self._clock, meter.open())
        time.sleep(random.uniform(0, 0.1))
        first_j = self._counter_j()
        meter.begin()
        call()
        meter.end()
        last_j = self._counter_j()
        wait(self._clock, meter.close())
        time.sleep(_FALL_S)
        after = self._watch()
        found = meter.measurement(precision=math.inf)
        duration_s = meter.spans[0].duration_s
        rest_w = (before.level_w + after.level_w) / 2
        why_not = found.why_invalid("wh_total")
        return Window(
            duration_s=duration_s,
            rest_w=rest_w,
            reference_j=after.end_j - before.start_j - rest_w * (after.end_s - before.start_s - duration_s),
            plain_j=last_j - first_j,
            energy_j=found.energy_j if why_not is None else None,
            uncertainty_j=found.uncertainty_j if why_not is None else None,
            refused=None if why_not is None else why_not.code,
        )

    def _watch(self) -> Watched:
        """The counter for some ticks, read as often as it can be."""
        began_s = seen_s = time.monotonic()
        seen_j = self._counter_j()
        ticks: list[tuple[float, float]] = []
        while seen_s < began_s + _WATCH_S or len(ticks) < _FEWEST_TICKS:
            time.sleep(0.001)
            now_j, now_s = self._counter_j(), time.monotonic()
            if now_j != seen_j:
                ticks.append(((seen_s + now_s) / 2, now_j))
            seen_s, seen_j = now_s, now_j
            if now_s > began_s + _STUCK_S:
                raise NoGpuError("its energy counter does not move.")
        return Watched(*ticks[0], *ticks[-1])

    def _counter_j(self) -> float:
        (reading,) = self._source.read()
        if reading.energy_j is None:
            raise NoGpuError("it shows no energy counter.")
        return reading.energy_j


_HEADERS = (
    "call",
    "J from rest to rest",
    "pytest-whq",
    "stated ±",
    "within it",
    "plain difference",
    "refused",
)


def _row(one: Comparison) -> list[str]:
    return [
        format_quantity(one.call_s, "s"),
        f"{one.reference_j:.2f}",
        "-" if one.ours is None else str(one.ours),
        "-" if one.stated is None else format_percent(one.stated),
        "-" if one.within is None else format_percent(one.within),
        "-" if one.plain is None else str(one.plain),
        ", ".join(f"{count} {code}" for code, count in one.refused.items()),
    ]


# -- what is measured ------------------------------------------------------------------------------------


class NoGpuError(Exception):
    """There is no GPU to measure, or it does not tell; says why."""


@contextmanager
def _torch_rig() -> Iterator[Rig]:
    """The GPU that torch uses, multiplying matrices."""
    try:
        import torch  # type: ignore[import-not-found]
    except ModuleNotFoundError as error:
        raise NoGpuError("torch is not installed (pip install torch); --simulate needs none.") from error
    if not torch.cuda.is_available():
        raise NoGpuError("torch sees no NVIDIA GPU; --simulate needs none.")
    source = NvmlSource(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
    try:
        yield Rig(source, lambda seconds: _matmuls(torch, seconds), ("torch",))
    finally:
        source.close()


def _matmuls(torch: Any, seconds: float) -> Call:
    """A call of so many multiplications of half-precision matrices that it lasts about ``seconds``."""
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
    b = torch.empty_like(a)

    def run(count: int) -> float:
        started_s = time.perf_counter()
        for _ in range(count):
            torch.mm(a, a, out=b)
        torch.cuda.synchronize()
        return time.perf_counter() - started_s

    run(3)
    # From one second of work, in which clocks have settled.
    count = max(1, round(100 / run(100)))
    count = max(1, round(seconds * count / run(count)))
    return lambda: run(count)


@contextmanager
def _simulated_rig() -> Iterator[Rig]:
    """A simulated GPU that draws 450 W while a call waits."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from simulated_nvml import SimulatedNvml

    with SimulatedNvml() as nvml:
        gpu, source = nvml.gpu(0), NvmlSource()

        def call_of(seconds: float) -> Call:
            def call() -> None:
                now_s = time.monotonic()
                # Planned ahead: the sleep may end late, and the call would have cost more.
                gpu.schedule([(now_s, 450.0), (now_s + seconds, 70.0)])
                time.sleep(seconds)

            return call

        try:
            yield Rig(source, call_of)
        finally:
            source.close()


if __name__ == "__main__":
    sys.exit(main())
