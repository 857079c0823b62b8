"""Energy of the NVIDIA GPUs of other machines, as their dcgm-exporters show it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.scraping.address import Address, address_of_source, fetch
from pytest_whq.scraping.exposition import NotMetricsError
from pytest_whq.sources.remote.boards import Board, boards_in
from pytest_whq.sources.remote.series import GAUGE_LOOKS_BACK_S
from pytest_whq.sources.remote.turns import pause_s

_EVERY_S, _LONGEST_S = 0.2, 0.5
"""Between two looks at an exporter, which itself looks each second or less often: at least, and at most where
it is slow to answer. A second without power is a gap."""


class _Scrape(NamedTuple):
    """What an exporter showed, when that was, and how long a core here was busy with it."""

    moment_s: float
    boards: dict[str, Board]
    busy_s: float


class DcgmSource:
    """The GPUs that the dcgm-exporters at ``addresses``, separated by commas, show.

    By the energy counter where it is exported, else by the power gauge. A GPU that two exporters show is
    measured by the first. ``devices`` is the setting of --whq-devices: names of nodes, UUIDs, which may be
    abbreviated, or ``all``; None for all. ``now`` is the clock of the readings. Raises SettingError for what
    is no address, `SourceError` where one does not answer or shows no GPU.
    """

    scope = "gpu"
    settles_s = 10.0

    def __init__(self, addresses: str, devices: str | None = None, now: Callable[[], float] = now_s) -> None:
        self._now = now
        self._addresses = [address_of_source("dcgm", text, "/metrics") for text in addresses.split(",")]
        self._pool = ThreadPoolExecutor(len(self._addresses), "pytest-whq dcgm")
        try:
            self._places, self._boards = _chosen(self._scrape(), devices)
        except BaseException:
            self.close()
            raise
        self._due_s = self._now()
        counted = [id_ for id_, board in self._boards.items() if board.energy_j is not None]
        self.sensors = {
            id_: ("energy counter", "power") if id_ in counted else ("power",) for id_ in self._boards
        }
        self.power_averaging_s = dict.fromkeys(self._boards, GAUGE_LOOKS_BACK_S)
        self.labels = {id_: dict(board.labels) for id_, board in self._boards.items()}

    def devices(self) -> tuple[Device, ...]:
        """The GPUs in the order of the addresses."""
        return tuple(board.device for board in self._boards.values())

    def read(self) -> tuple[Reading, ...]:
        """One reading of each GPU, none of them where the last look was just now."""
        before_s = self._now()
        if before_s < self._due_s:
            return ()
        scrapes = self._scrape()
        busy_s = sum(scrape.busy_s for scrape in scrapes)
        took_s = self._now() - before_s
        self._due_s = before_s + pause_s(took_s, busy_s, every_s=_EVERY_S, longest_s=_LONGEST_S)
        return tuple(self._reading(id_, scrapes[place]) for id_, place in self._places.items())

    def state(self) -> tuple[DeviceState, ...]:
        """The temperatures, as last seen."""
        return tuple(DeviceState(id_, board.temperature_c) for id_, board in self._boards.items())

    def close(self) -> None:
        """End the threads that ask."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _scrape(self) -> list[_Scrape]:
        """What each exporter shows."""
        if len(self._addresses) == 1:
            return [self._ask(self._addresses[0])]
        return list(self._pool.map(self._ask, self._addresses))

    def _ask(self, address: Address) -> _Scrape:
        before_s, started_s = self._now(), time.thread_time()
        text, media = fetch("dcgm", address)
        moment_s = (before_s + self._now()) / 2
        try:
            if media == "text/html":
                raise NotMetricsError
            boards = boards_in(text, address.host)
            return _Scrape(moment_s, boards, time.thread_time() - started_s)
        except NotMetricsError:
            raise SourceError(
                f"dcgm: {address.shown} answers with something else than metrics. "
                "A proxy or a login may stand before it: give the exporter's own address."
            ) from None

    def _reading(self, id_: str, scrape: _Scrape) -> Reading:
        board = scrape.boards.get(id_)
        if board is None:
            gone = self._boards[id_]
            raise SourceError(
                f"dcgm: {id_} on {gone.node} is no longer shown by its exporter. See what nvidia-smi says."
            )
        self._boards[id_] = board
        return Reading(id_, scrape.moment_s, board.energy_j, board.power_w)


def _chosen(scrapes: list[_Scrape], devices: str | None) -> tuple[dict[str, int], dict[str, Board]]:
    """By id, the exporter that each chosen GPU is read from, and the GPU."""
    boards: dict[str, Board] = {}
    places: dict[str, int] = {}
    for place, scrape in enumerate(scrapes):
        for id_, board in scrape.boards.items():
            if id_ not in boards:
                boards[id_], places[id_] = board, place
    if not boards:
        raise SourceError(
            "dcgm: no GPU's energy or power is shown. Export DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION or "
            "DCGM_FI_DEV_POWER_USAGE: dcgm-exporter's list of counters names what it shows."
        )
    if devices is None or devices.strip() == "all":
        return places, boards
    ids = [id_ for entry in devices.split(",") for id_ in _named(entry.strip(), boards)]
    return {id_: places[id_] for id_ in ids}, {id_: boards[id_] for id_ in ids}


def _named(entry: str, boards: dict[str, Board]) -> list[str]:
    found = [id_ for id_, board in boards.items() if entry == board.node or (entry and id_.startswith(entry))]
    if not found:
        nodes = ", ".join(dict.fromkeys(board.node for board in boards.values()))
        raise SourceError(
            f"dcgm: --whq-devices cannot be {entry!r}: no GPU or node is called so. The nodes are {nodes}."
        )
    return found
