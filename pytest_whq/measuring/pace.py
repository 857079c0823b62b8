"""How long to pause between readings: hardly around the edges of windows, for long inside them. Pure."""

from collections.abc import Collection

from pytest_whq.joules.trace import Trace
from pytest_whq.measuring.plan import start_phase

EDGE_S = 0.003
"""Between readings around a window's edges, where the moment of a tick matters."""

INSIDE_S = 0.025
"""Between readings inside a window, where reading must not disturb what is measured."""

_INSIDE_SHARE = 0.02
"""Of the time, at most, that a reading inside a window may take."""

_INSIDE_LONGEST_S = 0.4
"""Between readings of a source that does not count, whatever they take: longer gaps are not filled in."""

_QUIET_S = 0.25
"""Between readings inside a window of a source that counts, once it is known: Python that computes there is
left in peace. Only the parts of streams need more."""

_INSIDE_SOON = 1 / 40
"""How soon the pause grows as far, with the window, while the source is not known or there are streams."""

_INSIDE_GROWTH = 1 / 3000
"""How the pause between readings grows with a counting source's window: an edge there is a counter's
difference, so a window of a day needs no more than some ten thousand readings."""

_TELLING = 2.0
"""So many refreshes of a window are read as its edges are while it is in doubt what the counter sees: the
step that holds the window's start tells, with the power shown after it. Of readings that take milliseconds
hardly any would fall there, and every window of a session would be as unsure as its first."""

_UNEVEN = 0.4
"""By up to how much of their length pauses inside a window are longer, in turns that do not repeat."""

_HELD_UP_S, _HELD_UP = 0.03, 4.0
"""A reading that takes longer, and so many times as long as most, was held up in the driver."""


class Pace:
    """Learns what a reading takes, and tells the pauses between readings."""

    def __init__(self) -> None:
        self._cost_s = 0.0
        self._pauses = 0

    def note(self, took_s: float) -> bool:
        """A reading took so long; returns whether it was held up, as most are not."""
        if self._cost_s and took_s > max(_HELD_UP_S, _HELD_UP * self._cost_s):
            return True
        self._cost_s = max(took_s, self._cost_s * 0.9)
        return False

    @property
    def at_edge_s(self) -> float:
        """The pause around an edge."""
        return max(EDGE_S - self._cost_s, EDGE_S / 3)

    def inside_s(self, traces: Collection[Trace], open_s: float, *, has_streams: bool) -> float:
        """The next pause inside windows of which the first has been open for ``open_s``."""
        if any(open_s < _TELLING * (trace.refresh_s or 0.0) and trace.is_in_doubt for trace in traces):
            return self.at_edge_s
        pause_s = max(INSIDE_S, self._cost_s / _INSIDE_SHARE)
        if all(trace.counts for trace in traces):
            is_quiet = not has_streams and all(trace.is_known for trace in traces)
            soon_s = _QUIET_S if is_quiet else min(open_s * _INSIDE_SOON, _QUIET_S)
            pause_s = max(pause_s, soon_s, open_s * _INSIDE_GROWTH)
        else:
            pause_s = min(pause_s, _INSIDE_LONGEST_S / (1 + _UNEVEN))
        # Even pauses would meet a load of the same pace, or a multiple of it, always at the same point.
        self._pauses += 1
        return pause_s * (1 + _UNEVEN * start_phase(self._pauses))
