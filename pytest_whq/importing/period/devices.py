"""The energy of devices in each window of a period, from the series that show it. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_whq.importing.period.track import Track
from pytest_whq.joules.spans import Span
from pytest_whq.model import Device
from pytest_whq.scraping.prometheus import Series
from pytest_whq.sources.remote.series import Unit, device_of, devices_in, id_of
from pytest_whq.units import format_moment

TOLERATED = 0.01
"""Of a figure, at most, that may be in doubt: beyond it there is none."""


@dataclass(slots=True)
class DeviceTracks:
    """What ``selector`` shows of each device; what comes of a device under other labels goes on with it."""

    selector: str
    unit: Unit
    windows: Sequence[Span]
    tracks: dict[str, Track] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def add(self, series: Sequence[Series]) -> None:
        """Take the next piece of the period; `SourceError` where series overlap."""
        devices_in(self.selector, [one.labels for one in series])
        # Of several series of a device the one that reaches back furthest goes first: others fill up.
        for one in sorted(series, key=lambda one: one.samples[0][0]):
            id_ = id_of(one.labels)
            if id_ not in self.tracks:
                self.tracks[id_] = Track(self.windows, self.unit.counts)
                self.devices[id_] = device_of(id_, one.labels)
            self.tracks[id_].add(one.samples)

    def energies_j(self, window: int) -> Mapping[str, float]:
        """Joules of each device in a window, as far as they were seen."""
        return {id_: track.grown[window] * self.unit.factor for id_, track in self.tracks.items()}

    def doubt_j(self, window: int) -> float:
        """By how much they may be wrong together, at most."""
        return self.unit.factor * sum(
            track.doubt[window] + track.rate() * _unseen_s(track, self.windows[window])
            for track in self.tracks.values()
        )

    def why_incomplete(self, window: int) -> str | None:
        """Why there is no energy of a window; None where there is."""
        each_j, doubt_j = self.energies_j(window), self.doubt_j(window)
        # No device draws nothing: what a device that shows it drew is unknown.
        silent = [id_ for id_, energy_j in each_j.items() if energy_j <= 0]
        if each_j and not silent and doubt_j <= TOLERATED * sum(each_j.values()):
            return None
        said = [f"{silent[0]}{_more(silent)}: no energy is shown"] if silent else []
        causes = [*said, *self.oddities(window)] or ["its samples are too far apart"]
        more = f"; and {len(causes) - 4} more" if len(causes) > 4 else ""
        return f"the energy of the period is not complete: {'; '.join(causes[:4])}{more}"

    def oddities(self, window: int) -> Iterator[str]:
        """What the samples of a window have of gaps and restarts, in sentences."""
        alike: dict[str, list[str]] = defaultdict(list)
        for id_, track in self.tracks.items():
            for what in oddities_of(track, self.windows[window]):
                alike[what].append(id_)
        for what, ids in alike.items():
            yield f"{ids[0]}{_more(ids)}: {what}"


def _more(ids: Sequence[str]) -> str:
    return f" and {len(ids) - 1} more" if len(ids) > 1 else ""


def oddities_of(track: Track, window: Span) -> Iterator[str]:
    """What one series has of gaps and restarts in ``window``, to stand after the name of what it is of."""
    if track.first is None or track.last is None:
        return
    if track.first[0] > window.start_s + track.gap_s:
        yield f"not seen before {format_moment(min(track.first[0], window.end_s))}"
    for event in track.events:
        if window.overlap_s(event.start_s, event.end_s) > 0:
            what = "count began anew" if event.kind == "restart" else "not scraped"
            yield f"{what} between {format_moment(event.start_s)} and {format_moment(event.end_s)}"
    if track.last[0] < window.end_s - track.gap_s:
        yield f"last seen at {format_moment(track.last[0])}"


def _unseen_s(track: Track, window: Span) -> float:
    """Seconds of a window before the first sample and after the last one."""
    if track.first is None or track.last is None:
        return window.duration_s
    before_s = window.overlap_s(window.start_s, track.first[0])
    return before_s + window.overlap_s(track.last[0], window.end_s)
