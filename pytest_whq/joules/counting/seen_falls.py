"""How fast a board's power falls, by the falls of a session, and by those of a calibration. Pure."""

import math
from collections.abc import Sequence

from pytest_whq.joules.counting.falling import Falling
from pytest_whq.joules.counting.settling import CONSTANTS_S, MISFIT, SHARE_OF_ONE

_CONTRADICTED = 0.7
"""A calibration is not believed whose time constants are less likely than another by this log-likelihood:
soon, as that costs no more than an uncertainty as wide as without one."""


class Settling:
    """How fast a board's power falls, of ``constants_s``, as far as the falls seen so far tell.

    ``known_s`` is between which time constants a calibration has seen it fall. That counts as one more fall,
    and as none where those seen since speak for another.
    """

    def __init__(
        self, constants_s: Sequence[float] | None = None, known_s: tuple[float, float] | None = None
    ) -> None:
        self.constants_s = constants_s or CONSTANTS_S
        self._known = [known_s is not None and known_s[0] <= each <= known_s[1] for each in self.constants_s]
        self._seen: dict[float, tuple[float, ...]] = {}

    def log_likelihoods(self, end_s: float, falls: Sequence[Falling]) -> tuple[float, ...]:
        """Of each of ``falls``, of the load that ended at ``end_s``, and of all falls remembered with it."""
        best = max(fall.log_likelihood for fall in falls)
        own = tuple(max(-SHARE_OF_ONE, fall.log_likelihood - best) for fall in falls)
        seen = {**self._seen, end_s: own}
        if min(fall.misfit for fall in falls) <= MISFIT:
            self._seen = seen
        return self._with_known(_summed(seen))

    def _with_known(self, seen: tuple[float, ...]) -> tuple[float, ...]:
        pairs = [*zip(seen, self._known, strict=True)]
        likeliest = max((value for value, is_known in pairs if is_known), default=-math.inf)
        if likeliest < max(seen) - _CONTRADICTED:
            return seen
        return tuple(value if is_known else value - SHARE_OF_ONE for value, is_known in pairs)


def _summed(seen: dict[float, tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(math.fsum(column) for column in zip(*seen.values(), strict=True))
