"""How a counter's energy between two ticks divides among spans and what lies outside them. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import fmean

from pytest_whq.joules.counting.inner_edges import Shown
from pytest_whq.joules.counting.outside import Outside
from pytest_whq.joules.counting.settling import Aftermath
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.rest import UNSEEN_CHANGE
from pytest_whq.joules.spans import Span, UnmeasurableError

_SHOWN_S = 0.04
"""Half as long a pause is over before power has fallen or a reading has told: the load may have gone on."""


def around(ticks: CounterTicks, spans: Sequence[Span]) -> tuple[int, int]:
    """The ticks right before ``spans`` and right after them.

    Raises `UnmeasurableError` where the counter fell between, or did not tick on both sides.
    """
    first = bisect_right(ticks.times_s, spans[0].start_s) - 1
    last = bisect_left(ticks.times_s, spans[-1].end_s)
    if first < 0 or last >= len(ticks):
        side = "before" if first < 0 else "after"
        raise UnmeasurableError(
            "counter_stuck", f"the energy counter did not move {side} the window, while readings went on"
        )
    if broke := ticks.break_between(ticks.times_s[first], ticks.times_s[last]):
        raise UnmeasurableError("counter_reset", f"the energy counter {broke} while the window was open")
    return first, last


class Shares:
    """How the energy between two ticks divides among the spans and what lies outside them."""

    def __init__(
        self,
        ticks: CounterTicks,
        spans: Sequence[Span],
        before: Outside | None,
        after: Aftermath | None,
        unexplained_j: float,
    ) -> None:
        self._ticks = ticks
        self._first, self._last = around(ticks, spans)
        self._spans = spans
        self._starts_s = [span.start_s for span in spans]
        self._before = before if before is not None and before.steady else None
        self._unsteady_w = 0.0 if before is None else before.power_w
        self._after = after if after is not None and after.explains else None
        self._unexplained_j = unexplained_j
        self._other_w = 0.0 if after is None else after.level_w
        known_w = [] if self._before is None else [self._before.power_w]
        known_w += [] if self._after is None else [self._after.level_w]
        self._gap_w = fmean(known_w) if known_w else None
        self._gap_error_w = 0.0
        if known_w:
            self._gap_error_w = (max(known_w) - min(known_w)) / 2 + UNSEEN_CHANGE * max(known_w)

    def energy_j(self, span: Span) -> float:
        """Joules of one of the spans."""
        times_s, energies_j = self._ticks.times_s, self._ticks.energies_j
        first = bisect_right(times_s, span.start_s) - 1
        last = max(first, bisect_left(times_s, span.end_s) - 1)
        if first == last:
            return self._share_j(first, span)
        whole_j = energies_j[last] - energies_j[first + 1]
        return self._share_j(first, span) + whole_j + self._share_j(last, span)

    def _share_j(self, interval: int, span: Span) -> float:
        start_s, end_s = self._ticks.times_s[interval], self._ticks.times_s[interval + 1]
        energy_j = self._ticks.energies_j[interval + 1] - self._ticks.energies_j[interval]
        first = bisect_right(self._starts_s, start_s) - 1
        last = bisect_left(self._starts_s, end_s)
        within = self._spans[max(0, first) : last]
        covered_s = sum(s.overlap_s(start_s, end_s) for s in within)
        if covered_s == 0:
            return 0.0
        inside_j = max(0.0, energy_j - self._outside_j(interval, covered_s, within))
        return inside_j * span.overlap_s(start_s, end_s) / covered_s

    def _outside_j(self, interval: int, covered_s: float, within: Sequence[Span]) -> float:
        """Joules that an interval's uncovered part drew."""
        start_s, end_s = self._ticks.times_s[interval], self._ticks.times_s[interval + 1]
        lead_s = max(0.0, self._spans[0].start_s - start_s)
        trail_s = max(0.0, end_s - self._spans[-1].end_s)
        gaps_s = max(0.0, end_s - start_s - covered_s - lead_s - trail_s)
        mean_w = self._ticks.power_w(interval, interval + 1)
        gap_w = mean_w if self._gap_w is None else self._gap_w
        return (
            self._lead_j(mean_w, lead_s)
            + gap_w * gaps_s
            + self._trail_j(mean_w, trail_s)
            + self._tails_j(start_s, end_s, within)
        )

    def _lead_j(self, mean_w: float, lead_s: float) -> float:
        """Joules before the spans, in an interval of ``mean_w``."""
        return (mean_w if self._before is None else self._before.power_w) * lead_s

    def _trail_j(self, mean_w: float, trail_s: float) -> float:
        """Joules after the spans, in an interval of ``mean_w``."""
        if not trail_s or self._after is None:
            return mean_w * trail_s
        return self._after.drawn_j

    def _tails_j(self, start_s: float, end_s: float, within: Sequence[Span]) -> float:
        """Joules above the level in the gaps between spans, as far as these lie in an interval."""
        if self._after is None:
            return 0.0
        tails_j = 0.0
        for span in within:
            following = bisect_right(self._starts_s, span.start_s)
            if following < len(self._spans):
                pause_s = self._starts_s[following] - span.end_s
                until_s = min(max(0.0, end_s - span.end_s), pause_s)
                from_s = min(max(0.0, start_s - span.end_s), pause_s)
                if until_s > from_s:
                    load = following - 1
                    tails_j += self._after.tail_j(load, until_s) - self._after.tail_j(load, from_s)
        return tails_j

    def uncertainty_j(self) -> float:
        """One standard uncertainty of all spans together: of both outer edges and of the gaps between."""
        pauses_s = [after - span.end_s for span, after in zip(self._spans, self._starts_s[1:], strict=False)]
        return math.hypot(
            self._lead_error_j(),
            self._trail_error_j(),
            self._gap_error_w * math.fsum(pauses_s),
            self._unseen_error_j(pauses_s),
        )

    @property
    def common_j(self) -> float:
        """The part of it by which other boards of the load may be off the same way: how their power falls."""
        return 0.0 if self._after is None else self._after.error_j

    def _unseen_error_j(self, pauses_s: Sequence[float]) -> float:
        """Of pauses that are too short for anything to show that the devices rested in them."""
        unseen_s = math.fsum(max(0.0, min(pause_s, _SHOWN_S - pause_s)) for pause_s in pauses_s)
        if not unseen_s or self._gap_w is None:
            return 0.0
        busy_s = math.fsum(span.duration_s for span in self._spans)
        busy_w = math.fsum(map(self.energy_j, self._spans)) / busy_s
        return abs(busy_w - self._gap_w) * unseen_s / 2

    @property
    def at_start(self) -> Shown:
        """What the counter showed, or would have, where the first span begins."""
        mean_w = self._ticks.power_w(self._first, self._first + 1)
        lead_j = self._lead_j(mean_w, self._lead_s)
        return Shown(self._ticks.energies_j[self._first] + lead_j, self._lead_error_j())

    @property
    def at_end(self) -> Shown:
        """What the counter showed, or would have, where the last span ends."""
        mean_w = self._ticks.power_w(self._last - 1, self._last)
        trail_j = self._trail_j(mean_w, self._trail_s)
        return Shown(self._ticks.energies_j[self._last] - trail_j, self._trail_error_j())

    @property
    def _lead_s(self) -> float:
        return self._spans[0].start_s - self._ticks.times_s[self._first]

    @property
    def _trail_s(self) -> float:
        return self._ticks.times_s[self._last] - self._spans[-1].end_s

    def _lead_error_j(self) -> float:
        if self._before is not None:
            return self._before.uncertainty_j(self._lead_s)
        return self._interpolated_error_j(self._first, self._first, self._lead_s, self._unsteady_w)

    def _trail_error_j(self) -> float:
        if self._after is None:
            interpolated_j = self._interpolated_error_j(
                self._last - 1, self._last, self._trail_s, self._other_w
            )
            return math.hypot(interpolated_j, self._unexplained_j)
        return self._after.error_j

    def _interpolated_error_j(self, interval: int, tick: int, outside_s: float, other_w: float) -> float:
        # The part outside may have drawn what lies beyond it, or what lies on its other side.
        mean_w = self._ticks.power_w(interval, interval + 1)
        tick_j = self._ticks.error_j(tick, mean_w)
        return math.hypot(tick_j, abs(mean_w - other_w) * outside_s / math.sqrt(3))
