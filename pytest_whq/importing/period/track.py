"""What one series says of each of several windows, sample by sample, and how much of it is in doubt. Pure."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Literal

from pytest_whq.joules.spans import Span

GAPS_S = 5.0
"""A gap is longer than three intervals and this."""

MOST_NOTED = 1000
"""Gaps and restarts of one series that are kept for sentences."""


@dataclass(frozen=True, slots=True)
class Event:
    """A ``gap`` between two samples, or a ``restart`` of the counter between them, in epoch seconds.

    ``rate`` is that before it: what may be hidden in each second of a restart.
    """

    kind: Literal["gap", "restart"]
    start_s: float
    end_s: float
    rate: float = 0.0


@dataclass(slots=True)
class Track:
    """The growth of one series in each of ``windows``, which follow one another.

    Samples come in the order of their times. A counter grows by what it counts, and what a restart hides is
    in doubt: at the rate before it, for as long as nothing was seen. With ``counts`` False it is a gauge,
    which grows by its area; across a gap that is in doubt, and 0, which no device draws, is none of its
    samples. What grows between two samples on either side of
    a window's edge is shared out by time, and in doubt by the smaller share. ``events`` are what was odd.
    """

    windows: Sequence[Span]
    counts: bool = True
    interval_s: float | None = None
    first: tuple[float, float] | None = None
    last: tuple[float, float] | None = None
    events: list[Event] = field(default_factory=list)
    grown: "array[float]" = field(init=False)
    doubt: "array[float]" = field(init=False)
    _starts_s: list[float] = field(init=False)
    _rate: float = 0.0

    def __post_init__(self) -> None:
        self.grown = array("d", bytes(8 * len(self.windows)))
        self.doubt = array("d", bytes(8 * len(self.windows)))
        self._starts_s = [window.start_s for window in self.windows]

    def add(self, samples: Iterable[tuple[float, float]]) -> None:
        """Take samples later than those before; others are passed over."""
        known_s = -1.0 if self.last is None else self.last[0]
        new = [sample for sample in samples if sample[0] > known_s and (self.counts or sample[1] > 0)]
        if not new:
            return
        if self.interval_s is None and len(new) > 2:
            self.interval_s = median(after[0] - before[0] for before, after in pairwise(new))
        self.first = self.first or new[0]
        if self.last is not None:
            new.insert(0, self.last)
        self.last = new[-1]
        place = bisect_right(self._starts_s, new[0][0]) - 1
        inside = place >= 0 and new[-1][0] <= self.windows[place].end_s
        if inside and self._is_plain(new):
            # Most of the samples of a long period say nothing more than that.
            self._add_plain(place, new)
            return
        for before, after in pairwise(new):
            self._step(before, after)

    @property
    def gap_s(self) -> float:
        """From one sample to the next that is no gap, at most."""
        return 3 * (self.interval_s or 0.0) + GAPS_S

    def _is_plain(self, samples: Sequence[tuple[float, float]]) -> bool:
        gap_s = self.gap_s
        falls = self.counts
        return all(
            after[0] - before[0] <= gap_s and not (falls and after[1] < before[1])
            for before, after in pairwise(samples)
        )

    def _add_plain(self, place: int, samples: Sequence[tuple[float, float]]) -> None:
        (start_s, first), (end_s, last) = samples[0], samples[-1]
        if self.counts:
            grown = last - first
        else:
            grown = sum((a[1] + b[1]) / 2 * (b[0] - a[0]) for a, b in pairwise(samples))
        self.grown[place] += grown
        if end_s > start_s:
            self._rate = grown / (end_s - start_s)

    def _step(self, before: tuple[float, float], after: tuple[float, float]) -> None:
        (start_s, was), (end_s, is_) = before, after
        lasted_s = end_s - start_s
        is_gap = lasted_s > self.gap_s
        fell = self.counts and is_ < was
        if self.counts:
            grown = is_ if fell else is_ - was
            doubt = self._rate * lasted_s if fell else 0.0
        else:
            grown = (was + is_) / 2 * lasted_s
            doubt = grown if is_gap else 0.0
        if (is_gap or fell) and len(self.events) < MOST_NOTED:
            kind: Literal["gap", "restart"] = "restart" if fell else "gap"
            self.events.append(Event(kind, start_s, end_s, self._rate if fell else 0.0))
        self._share(Span(start_s, end_s), grown, doubt)
        if not fell:
            self._rate = grown / lasted_s

    def _share(self, step: Span, grown: float, doubt: float) -> None:
        place = max(0, bisect_right(self._starts_s, step.start_s) - 1)
        while place < len(self.windows) and self.windows[place].start_s < step.end_s:
            window = self.windows[place]
            share = window.overlap_s(step.start_s, step.end_s) / step.duration_s
            self.grown[place] += share * grown
            self.doubt[place] += share * doubt + min(share, 1 - share) * grown
            place += 1

    def rate(self) -> float:
        """By how much it grew in a second, when it was last seen."""
        return self._rate
