"""The level of a board that rests, from what was seen around a load. Pure."""

import math
from typing import NamedTuple

UNSEEN_CHANGE = 0.03
"""Relative uncertainty of a level outside where no further one was seen to compare it with."""

_SAME = 0.05
"""Levels that differ by no more than this share are the same, but for chance."""

_STEPS_DOWN = 0.25
"""Relative uncertainty of a level right after a load: boards step down for seconds until they rest."""


class Level(NamedTuple):
    """Watts that a device draws for a while, and one standard uncertainty of them."""

    power_w: float
    error_w: float


def level_at_rest(before: Level | None, after: Level | None) -> Level | None:
    """The level of a board at rest, by those before a load and after it; None where neither was seen.

    It is the lower one: right after a load a board does not rest yet. Where the lower one is that after the
    load, it follows another load, and the board may rest lower still.
    """
    if before is None or after is None:
        return before if after is None else _still_falling(after)
    if before.power_w <= after.power_w * (1 + _SAME):
        return min(before, after)
    return _still_falling(after)


def _still_falling(after: Level) -> Level:
    return Level(after.power_w, math.hypot(after.error_w, _STEPS_DOWN * after.power_w))
