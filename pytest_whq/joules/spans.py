"""What goes into and comes out of the turning of readings into joules."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_whq.errors import ReasonCode
from pytest_whq.model import Method, Reason

HOPELESS = 0.2
"""A standard uncertainty above this share of the energy leaves no figure to speak of."""


@dataclass(frozen=True, slots=True)
class Span:
    """One contiguous stretch of time whose energy is wanted, in seconds of `time.monotonic`."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return self.end_s - self.start_s

    def overlap_s(self, start_s: float, end_s: float) -> float:
        """Seconds that it shares with the stretch from ``start_s`` to ``end_s``."""
        return max(0.0, min(self.end_s, end_s) - max(self.start_s, start_s))


def start_of(span: Span) -> float:
    """When it starts: spans are put in order by it."""
    return span.start_s


class Observed(NamedTuple):
    """Joules that a sensor saw drawn in a stretch of time, and one standard uncertainty of them."""

    start_s: float
    end_s: float
    energy_j: float
    blur_j: float


@dataclass(frozen=True, slots=True)
class SpanEnergies:
    """Joules that one device drew in each of the spans asked for.

    ``uncertainty_j`` is one standard uncertainty of their sum: how well the spans' edges are known,
    not how well the board's sensor is calibrated. ``unseen_j`` is the part of it that follows from what a
    sensor that looks only part of the time has not seen, ``common_j`` that by which other devices of one load
    may be off the same way, as their power rises and falls alike. ``idle_w`` is the level of the device
    at rest, None where it was not seen, and ``idle_error_w`` one standard uncertainty of it.
    ``beside_j`` are the joules of the spans beside those asked for, None of one that is too short to tell.
    """

    method: Method
    energies_j: tuple[float, ...]
    uncertainty_j: float
    idle_w: float | None
    unseen_j: float = 0.0
    idle_error_w: float = 0.0
    beside_j: tuple[float | None, ...] = ()
    common_j: float = 0.0

    @property
    def energy_j(self) -> float:
        """Joules of all spans together."""
        return sum(self.energies_j)


def uncertainty_together_j(parts: Sequence[SpanEnergies], duration_s: float | None = None) -> float:
    """One standard uncertainty of the joules of several devices in the same spans.

    Of those above the level at rest, where it is told how long the spans last.
    """
    common_j = math.fsum(part.common_j for part in parts)
    own_j = [math.sqrt(max(0.0, part.uncertainty_j**2 - part.common_j**2)) for part in parts]
    rest_j = [0.0 if duration_s is None else part.idle_error_w * duration_s for part in parts]
    return math.hypot(common_j, *own_j, *rest_j)


class UnmeasurableError(Exception):
    """Readings that do not tell the energy of the spans; carries the reason of the record."""

    def __init__(self, code: ReasonCode, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = Reason(code, sentence)


def sum_known(values: Iterable[float | None]) -> float | None:
    """The sum of ``values``; None where one is unknown or there are none."""
    total, empty = 0.0, True
    for value in values:
        if value is None:
            return None
        total, empty = total + value, False
    return None if empty else total
