"""Windows measured in real time on simulated GPUs, beside what was truly drawn in them."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from simulated_nvml import SimulatedGpu, SimulatedNvml

from pytest_whq.joules.spans import Span
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.sources.nvml.source import NvmlSource

BUSY_W = 450.0


@dataclass(frozen=True)
class Measured:
    """What one window measured, and the joules that each device truly drew in it."""

    measurement: Measurement
    span: Span
    truths_j: Mapping[str, float]

    @property
    def true_j(self) -> float:
        return sum(self.truths_j.values())

    @property
    def error(self) -> float:
        """By how much the energy is wrong, as a share of the truth."""
        assert self.measurement.energy_j is not None, self.measurement.reasons
        return self.measurement.energy_j / self.true_j - 1

    @property
    def uncertainty(self) -> float:
        """One standard uncertainty as a share of the truth."""
        assert self.measurement.uncertainty_j is not None, self.measurement.reasons
        return self.measurement.uncertainty_j / self.true_j

    def is_right_within(self, ratio: float) -> bool:
        """Whether the error is at most ``ratio``, apart from what the machine's own noise explains.

        A machine that holds the sampler up blurs the edges, and the uncertainty says by how much.
        """
        return abs(self.error) <= ratio + 3 * self.uncertainty

    @property
    def codes(self) -> list[str]:
        """The reasons for which the energy does not stand, or stands with a warning."""
        return [reason.code for reason in self.measurement.reasons]


class RealTime:
    """The simulated GPUs as a session measures them: through the real pynvml, with a thread that reads."""

    def __init__(self, nvml: SimulatedNvml, source: NvmlSource) -> None:
        self._nvml = nvml
        self._clock = SystemClock()
        self._sampler = Sampler(source, self._clock)

    def measure(
        self,
        seconds: float,
        watts: float | Sequence[float] = BUSY_W,
        *,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Measured:
        """Measure a window in which the GPUs draw ``watts``, each its own or all the same."""
        levels_w = [watts] * len(self._nvml.gpus) if isinstance(watts, float | int) else watts
        meter = Meter(self._clock, self._sampler)
        wait(self._clock, meter.open())
        meter.begin()
        with contextlib.ExitStack() as busy:
            for gpu, level_w in zip(self._nvml.gpus, levels_w, strict=True):
                busy.enter_context(gpu.busy(level_w))
            ends_s = time.monotonic() + seconds
            meanwhile()
            time.sleep(max(0.0, ends_s - time.monotonic()))
        meter.tally.succeed(TokenCount(100, 50))
        meter.end()
        wait(self._clock, meter.close())
        (span,) = meter.spans
        truths_j = {gpu.uuid: gpu.true_energy_j(span.start_s, span.end_s) for gpu in self._nvml.gpus}
        return Measured(meter.measurement(precision=0.2), span, truths_j)

    def measure_until_some_stand(self, count: int, seconds: float) -> list[Measured]:
        """``count`` windows that stand, or fewer where the machine hardly lets the sampler look."""
        found: list[Measured] = []
        for _ in range(4 * count):
            measured = self.measure(seconds)
            if "window_too_short" not in measured.codes and measured.measurement.energy_j is not None:
                found.append(measured)
            if len(found) == count:
                break
        return found


@contextlib.contextmanager
def real_time(nvml: SimulatedNvml) -> Iterator[RealTime]:
    with contextlib.closing(NvmlSource()) as source:
        yield RealTime(nvml, source)


def rms_error(windows: Sequence[Measured]) -> float:
    """Root of the mean square of the windows' relative errors."""
    return math.sqrt(sum(window.error**2 for window in windows) / len(windows))


def soon(seconds: float) -> float:
    """The time in so many seconds."""
    return time.monotonic() + seconds


def next_tick_s(gpu: SimulatedGpu, after_s: float) -> float:
    """The first moment from ``after_s`` on at which the GPU's counter refreshes."""
    period_s, phase_s = gpu.knob("counter_period_ms") / 1000, gpu.knob("counter_phase_ms") / 1000
    return phase_s + math.ceil((after_s - phase_s) / period_s) * period_s


def only_power(gpu: SimulatedGpu) -> SimulatedGpu:
    """A GPU without an energy counter."""
    return gpu.configure(counter_supported=False, counter_field_supported=False)
