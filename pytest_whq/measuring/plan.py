"""How often a measured call repeats, when its rounds start, and how sure their mean is. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pytest_whq.errors import SettingError
from pytest_whq.interval import relative_half_width95
from pytest_whq.model import METRICS, Round
from pytest_whq.setting_values import flag, seconds, share, share_of_all, whole_number

MIN_ROUNDS = 5
_ROUND_S = 1.0
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How long ``whq(call)`` repeats its call.

    With ``rounds`` exactly so many rounds run; without, they go on until ``precision`` (a ratio) is
    reached, at least `MIN_ROUNDS` and ``min_seconds``, but above all at most ``max_seconds``. With
    ``idle_ok`` the devices may do nothing meanwhile, and ``max_cached`` is the share of the input tokens that
    may come from a prompt cache: both also in a window of the test's own or a load.
    """

    rounds: int | None = None
    warmup: int = 1
    min_seconds: float = 5.0
    max_seconds: float = 30.0
    precision: float = 0.02
    idle_ok: bool = False
    max_cached: float = 1.0

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


PLAN_SETTINGS: Mapping[str, Callable[[str, Any], Any]] = {
    "rounds": whole_number(at_least=1),
    "warmup": whole_number(at_least=0),
    "min_seconds": seconds(above_zero=False),
    "max_seconds": seconds(above_zero=True),
    "precision": share,
    "idle_ok": flag,
    "max_cached": share_of_all,
}
"""Name of each field of a `Plan` -> what takes where it stands and what the user gave."""
assert set(PLAN_SETTINGS) == {field.name for field in fields(Plan)}


def planned(plan: Plan, given: Mapping[str, Any], called: Callable[[str], str] = str) -> Plan:
    """``plan`` with what is ``given`` in its place; SettingError where its least time is above its most.

    A ``max_seconds`` that ``plan`` has from the user, as for one quick run, holds above all and is no
    contradiction; the default is one, by which the longer time would be cut without a word.
    """
    least_s = given.get("min_seconds", 0.0)
    most_s = given.get("max_seconds", plan.max_seconds)
    is_default = "max_seconds" not in given and most_s == Plan().max_seconds
    if least_s > most_s and (is_default or "max_seconds" in given):
        most = "max_seconds" if is_default else called("max_seconds")
        unless = " unless it is given" if is_default else ""
        raise SettingError(
            f"{called('min_seconds')} is {least_s:g}, above {most}, which is {most_s:g}{unless}: "
            "lower the one or raise the other."
        )
    return replace(plan, **given)


def start_phase(round_number: int) -> float:
    """Where in the sensor's refresh period a round starts, from 0 to 1.

    Steps of the golden ratio spread the starts evenly, however many there are (Weyl's equidistribution;
    the golden ratio has the lowest discrepancy), so a sensor that looks only part of the time sees all
    parts of a periodic load.
    """
    return (round_number * _GOLDEN) % 1.0


def half_widths95(rounds: Sequence[Round]) -> dict[str, float]:
    """`relative_half_width95` of each metric that is a ratio over rounds, by name, where it is known."""
    amounts = [one.amounts for one in rounds]
    found = {}
    for name, metric in METRICS.items():
        known = [ratio for one in amounts if (ratio := metric.ratio(one)) is not None]
        whole = metric.is_ratio and len(known) == len(rounds)
        if whole and (half := relative_half_width95(known)) is not None:
            found[name] = half
    return found
