"""One short call's window against the same call repeated for 20 s, on a real GPU with torch.

No instrument here knows what a real GPU draws, but over 20 s the edges of a window do not matter, so the
energy of one call is there by division. Single windows of the same call, each from idle and begun at a
random moment, are compared with it: as pytest-whq measures them, and as the plain difference of the
energy counter says for the very same windows.

A GPU at work is warmer and clocked otherwise than one that wakes for a single call, so a bias common to
all windows of pytest-whq can be real; their spread cannot.

    python benchmarks/gpu.py [--durations 0.05 0.2 1] [--windows 20] [--seconds 20] [--json PATH]
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
from pytest_whq.model import Measurement
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
    """Of single windows against the reference, as ratios of it."""

    rms: float
    bias: float

    @classmethod
    def of(cls, energies_j: Sequence[float], reference_j: float) -> "Errors | None":
        """None where there is no window."""
        errors = [energy_j / reference_j - 1 for energy_j in energies_j]
        if not errors:
            return None
        return cls(math.sqrt(fmean(error**2 for error in errors)), fmean(errors))

    def __str__(self) -> str:
        return f"{format_percent(self.rms)} ({format_percent(self.bias, signed=True)})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Single windows of one call beside its energy by division.

    ``stated`` is the mean of two stated uncertainties as a ratio; the windows that pytest-whq refuses
    are counted by their reason.
    """

    call_s: float
    repeated: int
    reference_j: float
    reference_plain_j: float | None
    ours: Errors | None
    stated: float | None
    plain: Errors | None
    refused: dict[str, int]


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
    print(f"{options.windows} windows each: rms error (bias) against {options.seconds:g} s of the call\n")
    print(tabulate([_row(one) for one in found], _HEADERS, disable_numparse=True))
    if options.json is not None:
        document = {
            **provenance(("pytest-whq", "nvidia-ml-py", *rig.packages)),
            "simulated": options.simulate,
            "gpu": {**asdict(device), "driver": driver, "scope": rig.source.scope},
            "windows": options.windows,
            "reference_s": options.seconds,
            "comparisons": [asdict(one) for one in found],
        }
        write(options.json, document)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare one short window with 20 s of the same call.")
    parser.add_argument("--durations", type=float, nargs="+", default=[0.05, 0.2, 1.0], metavar="S")
    parser.add_argument("--windows", type=int, default=20, metavar="N", help="of each duration (default: 20)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, metavar="S", help="of repetition (default: 20)"
    )
    parser.add_argument("--simulate", action="store_true", help="on a simulated GPU, without torch")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    return parser.parse_args()


def _compare(rig: Rig, duration_s: float, options: argparse.Namespace) -> Comparison:
    call = rig.call_of(duration_s)
    bench = Bench(rig.source)
    repeated, started_s = 0, time.monotonic()

    def repeat() -> None:
        nonlocal repeated, started_s
        started_s = time.monotonic()
        while time.monotonic() - started_s < options.seconds:
            call()
            repeated += 1

    whole, whole_plain_j = bench.measure(repeat)
    if whole.energy_j is None:
        raise NoGpuError("; ".join(reason.sentence for reason in whole.reasons))
    reference_j = whole.energy_j / repeated
    windows = []
    for _ in range(options.windows):
        time.sleep(0.5)
        windows.append(bench.measure(call))
    reasons = [reason.code for ours, _ in windows if (reason := ours.why_invalid("wh_total")) is not None]
    good = [ours for ours, _ in windows if ours.why_invalid("wh_total") is None]
    stated = [
        2 * one.uncertainty_j / one.energy_j
        for one in good
        if one.uncertainty_j is not None and one.energy_j is not None
    ]
    return Comparison(
        call_s=(whole.duration_s or 0.0) / repeated,
        repeated=repeated,
        reference_j=reference_j,
        reference_plain_j=None if whole_plain_j is None else whole_plain_j / repeated,
        ours=Errors.of([one.energy_j for one in good if one.energy_j is not None], reference_j),
        stated=fmean(stated) if stated else None,
        plain=Errors.of([plain_j for _, plain_j in windows if plain_j is not None], reference_j),
        refused={code: reasons.count(code) for code in sorted(set(reasons))},
    )


class Bench:
    """Measures a call in a window of pytest-whq, and reads the counter plainly at both of its ends."""

    def __init__(self, source: NvmlSource) -> None:
        self._source, self._clock = source, SystemClock()
        self._sampler = Sampler(source, self._clock)

    def measure(self, call: Call) -> tuple[Measurement, float | None]:
        """The measurement of one window with ``call`` in it, and the counter's plain difference in joules."""
        meter = Meter(self._clock, self._sampler)
        wait(self._clock, meter.open())
        time.sleep(random.uniform(0, 0.1))
        before_j = self._counter_j()
        meter.begin()
        call()
        meter.end()
        after_j = self._counter_j()
        wait(self._clock, meter.close())
        plain_j = None if before_j is None or after_j is None else after_j - before_j
        return meter.measurement(precision=math.inf), plain_j

    def _counter_j(self) -> float | None:
        (reading,) = self._source.read()
        return reading.energy_j


_HEADERS = ("call", "J by repetition", "pytest-whq", "stated ±", "plain difference", "refused")


def _row(one: Comparison) -> list[str]:
    return [
        format_quantity(one.call_s, "s"),
        f"{one.reference_j:.2f}",
        "-" if one.ours is None else str(one.ours),
        "-" if one.stated is None else format_percent(one.stated),
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
