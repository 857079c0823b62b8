"""Energy as a Prometheus has scraped it, from its raw samples."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.scraping.address import address_of_source
from pytest_whq.scraping.prometheus import Prometheus, Series, with_token
from pytest_whq.sources.remote.abbreviated import ids_named
from pytest_whq.sources.remote.series import (
    Unit,
    device_of,
    devices_in,
    looks_back_s,
    scope_of,
    selectors_from,
    unit_of,
)
from pytest_whq.sources.remote.stale import Moving
from pytest_whq.sources.remote.turns import pause_s

_EVERY_S, _LONGEST_S = 1.0, 2.0
"""Between two questions: at least, and at most where it is slow to answer."""

_HISTORY_S = 300.0
"""How far back samples are asked for at the first time, from which the scrape interval is learned."""

_EXPORTER_S = 1.0
"""A sample shows what its exporter last saw, which was up to so long before, and never more than a scrape."""

_HELD_S = 0.5
"""Between the readings that show again a gauge which was not scraped since."""


class PrometheusSource:
    """The devices of the series that ``selector`` names in the Prometheus at ``address``.

    ``selector`` is the setting of --whq-prometheus-query. Its readings show what somebody would have seen who
    looked at the newest sample all the time; they come when their samples do. ``devices`` is the setting of
    --whq-devices: ids, which may be abbreviated, or ``all``; None for all. ``now`` is the clock of the
    readings. Raises SettingError for what is no address or selector, `SourceError` where nothing answers or
    matches.
    """

    def __init__(
        self,
        address: str,
        devices: str | None = None,
        selector: str | None = None,
        now: Callable[[], float] = now_s,
    ) -> None:
        self._now = now
        self._server = Prometheus(with_token(address_of_source("prometheus", address)))
        self._offset_s = self._behind_s()
        self._selector, series = self._first_that_matches(selectors_from(selector))
        self._unit: Unit = unit_of(self._selector)
        self._interval_s = _interval_s(self._selector, series)
        chosen = _chosen(devices, devices_in(self._selector, [one.labels for one in series]))
        self._devices = tuple(device_of(id_, series[number].labels) for id_, number in chosen.items())
        self.labels = {id_: dict(series[number].labels) for id_, number in chosen.items()}
        self._latest: dict[str, tuple[float, float]] = {}
        self._moving = Moving("prometheus")
        self._opened_s = self._due_s = now()
        self.scope = scope_of(self._selector)
        self.settles_s = 3 * self._interval_s + 5.0
        self.sensors = dict.fromkeys(chosen, ("energy counter" if self._unit.counts else "power",))
        if not self._unit.counts:
            self.power_averaging_s = dict.fromkeys(chosen, looks_back_s(self._selector) + self._interval_s)

    def devices(self) -> tuple[Device, ...]:
        """The devices in the order of their series."""
        return self._devices

    def read(self) -> tuple[Reading, ...]:
        """What was scraped since the last time, of each device; none where that was just now."""
        before_s = self._now()
        if before_s < self._due_s:
            return ()
        started_s = time.thread_time()
        self._moving.ask(before_s)
        series = self._server.series(f"{self._selector}[{self._reach_s():.0f}s]")
        took_s, busy_s = self._now() - before_s, time.thread_time() - started_s
        self._due_s = before_s + pause_s(took_s, busy_s, every_s=_EVERY_S, longest_s=_LONGEST_S)
        places = devices_in(self._selector, [one.labels for one in series])
        found: list[Reading] = []
        for device in self._devices:
            samples = series[places[device.id]].samples if device.id in places else ()
            found += self._new(device.id, samples)
            self._refuse_silence(device.id, before_s)
        return tuple(found)

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return tuple(DeviceState(device.id) for device in self._devices)

    def close(self) -> None:
        """Nothing is held."""

    def _new(self, id_: str, samples: Sequence[tuple[float, float]]) -> Iterator[Reading]:
        """The samples since the latest, as a sensor shows them: the one before stays until the next comes."""
        for server_s, value in samples:
            time_s, shown = server_s + self._offset_s, value * self._unit.factor
            if (last := self._latest.get(id_)) is not None:
                if time_s <= last[0]:
                    continue
                yield from self._until(id_, time_s, *last)
            self._latest[id_] = (time_s, shown)
            if self.scope == "node" and not self._unit.counts:
                self._moving.look(id_, time_s, shown)
            yield self._reading(id_, time_s, shown)

    def _until(self, id_: str, next_s: float, last_s: float, shown: float) -> Iterator[Reading]:
        lag_s = min(_EXPORTER_S, self._interval_s, (next_s - last_s) * 0.9)
        if self._unit.counts:
            yield self._reading(id_, next_s - lag_s, shown)
            return
        # After a scrape that failed nothing is known: the gap is for the window to find.
        held_until_s = min(next_s, last_s + 2 * self._interval_s)
        for held in range(1, math.ceil((held_until_s - last_s) / _HELD_S)):
            yield self._reading(id_, last_s + held * _HELD_S, shown)

    def _reading(self, id_: str, time_s: float, shown: float) -> Reading:
        if self._unit.counts:
            return Reading(id_, time_s, energy_j=shown)
        return Reading(id_, time_s, power_w=shown)

    def _reach_s(self) -> float:
        if len(self._latest) < len(self._devices):
            return _HISTORY_S
        oldest_s = min(time_s for time_s, _ in self._latest.values())
        return min(_HISTORY_S, self._now() - oldest_s + 2 * self._interval_s + 1.0)

    def _refuse_silence(self, id_: str, now_s: float) -> None:
        last_s = self._latest[id_][0] if id_ in self._latest else self._opened_s
        if now_s - last_s > 3 * self._interval_s + 5.0:
            raise SourceError(
                f"prometheus: {id_} was not scraped for {now_s - last_s:.0f} s, while each "
                f"{self._interval_s:.0f} s was usual. See its target in Prometheus."
            )

    def _behind_s(self) -> float:
        """What to add to the times of samples, which the server's clock has set, for those of readings."""
        before_s = self._now()
        server_s = self._server.now_s()
        return (before_s + self._now()) / 2 - server_s

    def _first_that_matches(self, selectors: Sequence[str]) -> tuple[str, list[Series]]:
        for selector in selectors:
            if series := self._server.series(f"{selector}[{_HISTORY_S:.0f}s]"):
                return selector, series
        raise SourceError(
            f"prometheus: no series of {' or '.join(selectors)} has a sample of the last "
            f"{_HISTORY_S / 60:.0f} minutes in {self._server.address.shown}. "
            "Name another by --whq-prometheus-query."
        )


def _interval_s(selector: str, series: Sequence[Series]) -> float:
    """Seconds from scrape to scrape; SourceError where no series was scraped twice."""
    times = [[time_s for time_s, _ in one.samples] for one in series]
    gaps_s = [after - before for each in times for before, after in pairwise(each)]
    if not gaps_s:
        raise SourceError(
            f"prometheus: {selector} was scraped once in {_HISTORY_S / 60:.0f} minutes, too seldom to "
            "measure by. Give its target a shorter scrape_interval."
        )
    return median(gaps_s)


def _chosen(devices: str | None, places: Mapping[str, int]) -> Mapping[str, int]:
    named = ids_named(
        devices,
        places,
        lambda entry: f"prometheus: --whq-devices cannot be {entry!r}. The devices are {'; '.join(places)}.",
    )
    return {id_: places[id_] for id_ in named}
