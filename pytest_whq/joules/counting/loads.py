"""How high above the level outside the loads of a window ended, by what a counter tells of each. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Load(NamedTuple):
    """A load of ``busy_s``, and what ticks tell of the pause after it, in seconds since its end.

    ``excess_j`` is what was drawn above the level from its beginning to the first tick after it, at
    ``told_s``: its own, and so much of its tail. The last tick before the next load, which begins at
    ``pause_s``, is at ``untold_s``: what is drawn from then on is in that one's excess. ``uneven`` is by how
    much its power scatters from tick to tick, as a share of its mean above the level.
    """

    busy_s: float
    excess_j: float
    told_s: float
    untold_s: float = math.inf
    pause_s: float = math.inf
    uneven: float = 0.0

    def unseen(self, settling_s: float) -> float:
        """The share of its tail that is drawn in the pause, but not from one tick in it to another."""
        return fallen(settling_s, self.told_s) + self._early(settling_s)

    def _early(self, settling_s: float) -> float:
        """The share of its tail that is in the excess of the next load."""
        return fallen(settling_s, self.pause_s) - fallen(settling_s, self.untold_s)

    def end_w(self, settling_s: float, left_w: float, early_j: float) -> float:
        """Watts above the level at its end, if power rises as slowly as it falls.

        ``left_w`` are those that were left when it began of the tail before, ``early_j`` what of that is in
        its excess.
        """
        excess_j = self.excess_j - early_j
        if self.busy_s == 0:
            return left_w
        # A power that lags has drawn what it aims at, less what its lag has grown by.
        risen, after = fallen(settling_s, self.busy_s), 1 - fallen(settling_s, self.told_s)
        own_j = excess_j - settling_s * left_w * (1 - (1 - risen) * after)
        aim_w = max(0.0, own_j / (self.busy_s - settling_s * risen * after))
        return aim_w * risen + left_w * (1 - risen)

    def left_w(self, settling_s: float, end_w: float) -> float:
        """Watts above the level when the next load begins, where this one ended at ``end_w``."""
        return end_w * (1 - fallen(settling_s, self.pause_s))

    def early_j(self, settling_s: float, end_w: float) -> float:
        """Joules of its tail that are in the excess of the next load, where it ended at ``end_w``."""
        return end_w * settling_s * self._early(settling_s)


def ends_w(loads: Sequence[Load], settling_s: float) -> tuple[float, ...]:
    """Watts above the level at which each of ``loads`` ended, where power follows with this time constant."""
    if settling_s == 0:
        return tuple(max(0.0, load.excess_j / load.busy_s) if load.busy_s else 0.0 for load in loads)
    found = []
    left_w = early_j = 0.0
    for load in loads:
        end_w = load.end_w(settling_s, left_w, early_j)
        left_w, early_j = load.left_w(settling_s, end_w), load.early_j(settling_s, end_w)
        found.append(end_w)
    return tuple(found)


def fallen(settling_s: float, seconds: float) -> float:
    """The share of a tail that is drawn in its first ``seconds``."""
    return 1.0 if settling_s == 0 else -math.expm1(-seconds / settling_s)
