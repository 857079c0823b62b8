"""How often a measured call repeats, and how sure its mean is then. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_whq.model import Round

MIN_ROUNDS = 5
_ROUND_S = 1.0
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How long ``whq(call)`` repeats its call.

    With ``rounds`` exactly so many rounds run; without, they go on until ``precision`` (a ratio) is
    reached, at least `MIN_ROUNDS` and ``min_seconds``, but above all at most ``max_seconds``.
    """

    rounds: int | None = None
    warmup: int = 1
    min_seconds: float = 5.0
    max_seconds: float = 30.0
    precision: float = 0.02

    @property
    def round_s(self) -> float:
        """Seconds that a round lasts at least: about one, and what fits the limits."""
        if self.rounds is None:
            return min(_ROUND_S, self.max_seconds / MIN_ROUNDS)
        return min(max(_ROUND_S, self.min_seconds / self.rounds), self.max_seconds / self.rounds)

    def goes_on(
        self, done: int, elapsed_s: float, last_round_s: float, half_width95: Callable[[], float | None]
    ) -> bool:
        """Whether another round runs.

        ``done`` rounds took ``elapsed_s``, the last of them ``last_round_s``; ``half_width95`` tells
        how wide the 95 % interval is so far, half of it as a share of the mean.
        """
        if self.rounds is not None:
            return done < self.rounds
        if done == 0:
            return True
        if elapsed_s + last_round_s > self.max_seconds:
            return False
        if done < MIN_ROUNDS or elapsed_s < self.min_seconds:
            return True
        width = half_width95()
        return width is None or width > self.precision


def start_phase(round_number: int) -> float:
    """Where in the sensor's refresh period a round starts, from 0 to 1.

    Steps of the golden ratio spread the starts evenly, however many there are (Weyl's equidistribution;
    the golden ratio has the lowest discrepancy), so a sensor that looks only part of the time sees all
    parts of a periodic load.
    """
    return (round_number * _GOLDEN) % 1.0


def relative_half_width95(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Half the 95 % interval of sum(numerators) / sum(denominators) over rounds, as a share of it.

    The ratio estimator of Cochran, Sampling Techniques (1977), chapter 6, with Student's t. None with
    fewer than three rounds, or where the ratio is not positive.
    """
    count = len(pairs)
    total = sum(denominator for _, denominator in pairs)
    if count < 3 or total <= 0 or sum(numerator for numerator, _ in pairs) <= 0:
        return None
    ratio = sum(numerator for numerator, _ in pairs) / total
    squares = sum((numerator - ratio * denominator) ** 2 for numerator, denominator in pairs)
    half = student_t95(count - 1) * math.sqrt(squares / (count * (count - 1))) / (total / count)
    return half / ratio


def half_widths95(rounds: Sequence[Round]) -> dict[str, float]:
    """`relative_half_width95` of each metric that is a ratio over rounds, by name, where it is known."""
    found = {}
    for metric, (numerator, denominator) in _RATIOS.items():
        pairs = [(numerator(one), denominator(one)) for one in rounds]
        known = [(float(n), float(d)) for n, d in pairs if n is not None and d is not None]
        if len(known) == len(pairs) and (half := relative_half_width95(known)) is not None:
            found[metric] = half
    return found


def relative_drift(values: Sequence[float]) -> float | None:
    """How far ``values`` move from first to last along their least-squares line, as a share of their mean.

    None with fewer than four, or where the slope cannot be told from noise (95 %, Student's t).
    """
    count = len(values)
    mean = sum(values) / count if count else 0.0
    if count < 4 or mean <= 0:
        return None
    steps = [number - (count - 1) / 2 for number in range(count)]
    squares = sum(step * step for step in steps)
    slope = sum(step * value for step, value in zip(steps, values, strict=True)) / squares
    residuals = sum((v - mean - slope * s) ** 2 for s, v in zip(steps, values, strict=True))
    noise = math.sqrt(residuals / (count - 2) / squares)
    return slope * (count - 1) / mean if abs(slope) > student_t95(count - 2) * noise else None


def _energy_j(one: Round) -> float | None:
    return one.energy_j


def _total_tokens(one: Round) -> float | None:
    if one.input_tokens is None or one.output_tokens is None:
        return None
    return one.input_tokens + one.output_tokens


def _output_tokens(one: Round) -> float | None:
    return one.output_tokens


_RATIOS: dict[str, tuple[Callable[[Round], float | None], Callable[[Round], float | None]]] = {
    "wh_per_query": (_energy_j, lambda one: one.queries),
    "net_wh_per_query": (lambda one: one.net_energy_j, lambda one: one.queries),
    "wh_per_1k_tokens": (_energy_j, _total_tokens),
    "wh_per_1k_output_tokens": (_energy_j, _output_tokens),
    "j_per_token": (_energy_j, _total_tokens),
    "j_per_output_token": (_energy_j, _output_tokens),
    "average_power_w": (_energy_j, lambda one: one.duration_s),
}


_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def student_t95(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t: the table to 30 degrees of freedom, then its expansion."""
    if degrees <= len(_T95):
        return _T95[degrees - 1]
    z = 1.959964
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
