"""A counter of energy that begins anew at the end of its range. Pure."""

MOST_W = 5000.0
"""No CPU package draws more: what would be a turn of the counter at a higher power is a reset."""


class WrappingCounter:
    """Joules that go on where the counter, which counts to ``range_j``, begins anew.

    Without a range, and where a turn would mean more than `MOST_W` since the reading before, a counter that
    fell was reset: what is shown then falls, too. More than one turn between two readings is not seen.
    """

    def __init__(self, range_j: float | None) -> None:
        self._range_j = range_j
        self._turned_j = 0.0
        self._last: tuple[float, float] | None = None

    def joules(self, time_s: float, counter_j: float) -> float:
        """The counter, read as ``counter_j`` at ``time_s``, and the turns that it made since the first."""
        last, self._last = self._last, (time_s, counter_j)
        if last is not None and self._range_j is not None and counter_j < last[1]:
            turn_j = self._range_j - last[1] + counter_j
            if turn_j <= MOST_W * (time_s - last[0]):
                self._turned_j += self._range_j
        return self._turned_j + counter_j
