"""How often a measured call repeats, when its rounds start, and how sure their mean is. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_whq.interval import relative_half_width95
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


def half_widths95(rounds: Sequence[Round]) -> dict[str, float]:
    """`relative_half_width95` of each metric that is a ratio over rounds, by name, where it is known."""
    found = {}
    for metric, (numerator, denominator) in _RATIOS.items():
        pairs = [(numerator(one), denominator(one)) for one in rounds]
        known = [(float(n), float(d)) for n, d in pairs if n is not None and d is not None]
        if len(known) == len(pairs) and (half := relative_half_width95(known)) is not None:
            found[metric] = half
    return found


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
