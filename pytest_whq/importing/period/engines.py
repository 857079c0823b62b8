"""What the engines counted in each window of a period, over all of their replicas and restarts. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from pytest_whq.importing.period.devices import oddities_of
from pytest_whq.importing.period.track import Track
from pytest_whq.joules.spans import Span
from pytest_whq.scraping.prometheus import Series
from pytest_whq.servers.engines import Engine, Sum
from pytest_whq.sources.remote.series import OF_THE_SCRAPE

UP = "up"
"""What a Prometheus notes of each target: 0 where it did not answer."""

_OF_THE_SCRAPE = OF_THE_SCRAPE | {"service", "container"}
"""Such labels of an engine's series, none of which has these two of its own."""

Key = tuple[tuple[str, str], ...]
"""The labels of a series, its name among them, sorted; without those of who scraped it."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there were in a window, and by how many that may be wrong, at most."""

    count: float
    doubt: float


@dataclass(slots=True)
class EngineTracks:
    """The counters of ``engine`` at all targets. To be `finished` before it is asked."""

    engine: Engine
    windows: Sequence[Span]
    tracks: dict[Key, Track] = field(default_factory=dict)
    _silent_s: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    _scraped_by: dict[Key, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def add(self, series: Sequence[Series]) -> None:
        """Take the next piece of the period; with `UP` restarts hide less.

        What several jobs have scraped of one target is one series.
        """
        for one in sorted(series, key=lambda one: one.samples[0][0]):
            every = sorted(one.labels.items())
            key = tuple(label for label in every if label[0] not in _OF_THE_SCRAPE)
            if one.labels["__name__"] == UP:
                self._silent_s[_target(key)] += [time_s for time_s, up in one.samples if not up]
                continue
            if key not in self.tracks:
                self.tracks[key] = Track(self.windows)
            self.tracks[key].add(one.samples)
            self._scraped_by[_target(key)].add(tuple(label for label in every if label[0] in _OF_THE_SCRAPE))

    def finish(self) -> None:
        """Add what the first samples of late series have counted, and the doubts about those that ended."""
        targets = self._targets()
        starts_s = self.windows[0].start_s
        ends_s = self.windows[-1].end_s
        come = sum(first_s > starts_s + track.gap_s for first_s, _, track in targets.values())
        gone = sum(last_s < ends_s - track.gap_s for _, last_s, track in targets.values())
        for key, track in self.tracks.items():
            self._heed_silence(track, self._silent_s.get(_target(key), ()))
            first_s, last_s, _ = targets[_target(key)]
            assert track.first is not None
            if track.first[0] > starts_s + track.gap_s:
                is_new = track.first[0] - first_s <= track.gap_s
                _grow(track, track.first[0], track.first[1], track.first[1] if is_new else 0.0)
            if last_s < ends_s - track.gap_s and track.rate():
                # One that another has followed was stopped, and has counted on for a scrape at most.
                unseen_s = 2 * (track.interval_s or track.gap_s) if come >= gone else ends_s - last_s
                _doubt_between(track, last_s, last_s + unseen_s, track.rate())

    def count(self, choices: Sequence[Sum], window: int) -> Count | None:
        """How much a quantity of the engine grew in a window; None where no target shows it."""
        for metrics in choices:
            names = {metric.name for metric in metrics}
            if any(dict(key)["__name__"] in names for key in self.tracks):

                def of(labels: Mapping[str, str], metrics: Sum = metrics) -> bool:
                    return any(metric.holds(labels["__name__"], labels) for metric in metrics)

                groups = self._grouped(of, window, self.engine.per)
                return max(groups.values(), key=lambda one: one.count, default=Count(0.0, 0.0))
        return None

    def buckets(self, histogram: str, window: int) -> dict[float, Count]:
        """How many requests of a window were at most so long, by those lengths that all targets tell."""
        found: dict[Key, dict[float, Track]] = defaultdict(dict)
        for key, track in self.tracks.items():
            labels = dict(key)
            if labels["__name__"] == f"{histogram}_bucket" and "le" in labels:
                target = tuple(label for label in key if label[0] != "le")
                found[target][float(labels["le"])] = track
        edges = [_edges_throughout(tracks) for tracks in found.values() if inf in tracks]
        return {
            edge: Count(
                sum(tracks[edge].grown[window] for tracks in found.values() if edge in tracks),
                sum(tracks[edge].doubt[window] for tracks in found.values() if edge in tracks),
            )
            for edge in sorted(set.intersection(*edges) if edges else ())
        }

    def oddities(self, window: int) -> Iterator[str]:
        """Gaps and restarts of the engine's targets, each once."""
        told: dict[str, str] = {}
        for key, track in self.tracks.items():
            place = dict(key).get("instance", self.engine.name)
            for what in oddities_of(track, self.windows[window]):
                # Its series come back one after another: that is one restart.
                sentence = f"{self.engine.name} at {place}: {what}"
                told.setdefault(sentence.partition(" and ")[0], sentence)
        yield from told.values()
        for target, jobs in self._scraped_by.items():
            if len(jobs) > 1:
                place = dict(target).get("instance", self.engine.name)
                yield f"{self.engine.name} at {place} is scraped {len(jobs)} times: it is counted once"

    def models(self) -> list[str]:
        """The names of the models that are served."""
        names = ("model_name", "model", "model_id")
        found = {value for key in self.tracks for label, value in key if label in names}
        return sorted(found)

    def _heed_silence(self, track: Track, silent_s: Sequence[float]) -> None:
        """An engine that did not answer a scrape before its restart is seen had stopped by then."""
        for event in track.events:
            stopped_s = min((s for s in silent_s if event.start_s < s < event.end_s), default=None)
            if event.kind == "restart" and stopped_s is not None:
                _doubt_between(track, stopped_s, event.end_s, -event.rate)

    def _grouped(
        self, of: Callable[[Mapping[str, str]], bool], window: int, by: str | None
    ) -> dict[str | None, Count]:
        counts: dict[str | None, float] = defaultdict(float)
        doubts: dict[str | None, float] = defaultdict(float)
        for key, track in self.tracks.items():
            labels = dict(key)
            if of(labels):
                group = None if by is None else labels.get(by)
                counts[group] += track.grown[window]
                doubts[group] += track.doubt[window]
        return {group: Count(count, doubts[group]) for group, count in counts.items()}

    def _targets(self) -> dict[Key, tuple[float, float, Track]]:
        """By target when it was first and last seen, with one of its series."""
        found: dict[Key, tuple[float, float, Track]] = {}
        for key, track in self.tracks.items():
            assert track.first is not None
            assert track.last is not None
            first_s, last_s, _ = found.get(_target(key), (track.first[0], track.last[0], track))
            found[_target(key)] = min(first_s, track.first[0]), max(last_s, track.last[0]), track
        return found


def _edges_throughout(tracks: Mapping[float, Track]) -> set[float]:
    """The edges that a histogram had as long as it was there: an update may have moved some."""
    whole = tracks[inf]
    return {edge for edge, track in tracks.items() if _is_alike(track, whole)}


def _is_alike(track: Track, other: Track) -> bool:
    return all(
        one is not None and two is not None and abs(one[0] - two[0]) <= track.gap_s
        for one, two in ((track.first, other.first), (track.last, other.last))
    )


def _target(key: Key) -> Key:
    return tuple((label, value) for label, value in key if label in ("instance", "pod"))


def _grow(track: Track, time_s: float, grown: float, doubt: float) -> None:
    for place, window in enumerate(track.windows):
        if window.start_s < time_s <= window.end_s:
            track.grown[place] += grown
            track.doubt[place] += doubt


def _doubt_between(track: Track, start_s: float, end_s: float, rate: float) -> None:
    for place, window in enumerate(track.windows):
        track.doubt[place] += rate * window.overlap_s(start_s, end_s)
