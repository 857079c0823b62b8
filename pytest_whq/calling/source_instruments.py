"""What a session measures with, in pytest or outside: its power source, which the first window opens."""

import platform
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Protocol

from pytest_whq.errors import SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, session_clock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.measuring.server_watch import Looks
from pytest_whq.model import CalibratedBoard, Device, Reason, Rig
from pytest_whq.sources import Offers, OpenedSource, open_source, parts_of
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.sources.facts import devices_of
from pytest_whq.sources.roles import RolePattern, SourceWithRoles

__tracebackhide__ = True  # Its errors are about the test's own lines, which pytest then shows.


class SourceSettings(Protocol):
    """Which source is opened, and how."""

    @property
    def source(self) -> str:
        """Its name, or a sum of names."""

    @property
    def devices(self) -> str | None:
        """Which of its devices."""

    @property
    def prometheus_query(self) -> str | None:
        """Which series of a Prometheus."""

    @property
    def roles(self) -> tuple[RolePattern, ...]:
        """The roles of devices."""

    @property
    def server(self) -> str | None:
        """The address of the engine whose own counters are read beside each window."""

    @property
    def driver_timeout_s(self) -> float:
        """How long a driver may take."""

    @property
    def wait_s(self) -> float:
        """How long to wait for a device that others measure on."""


class Teller(Protocol):
    """Who hears what goes on."""

    def show(self, text: str) -> None:
        """Show this for as long as nothing else is said; nothing takes it back."""

    def say(self, text: str) -> None:
        """Write this to the log."""

    def show_progress(self, said: Callable[[], str], *, often: bool) -> None:
        """A measurement goes on; ``said`` tells how far it is, and is asked only where that is shown."""


KnownBoards = Callable[[str | None, Sequence[Device]], Sequence[CalibratedBoard]]
"""What calibrations have shown of devices under a driver."""


class SourceInstruments(Instruments):
    """Those of a session that measures on the source of its settings.

    A source that cannot be opened because there is none is not asked for again; one that fails in
    another way may come back, and is. ``offers`` are asked for once, when the source is, and
    ``known_boards`` by driver and devices when it is opened.
    """

    def __init__(
        self,
        settings: SourceSettings,
        offers: Callable[[], Offers],
        teller: Teller,
        known_boards: KnownBoards = lambda driver, devices: (),
    ) -> None:
        self.clock: Clock = session_clock()
        self._settings = settings
        self._offers = offers
        self._teller = teller
        self._known_boards = known_boards
        self._opened: OpenedSource | None = None
        self._sampler: Sampler | None = None
        self._claim: Claim | None = None
        self._why_not: Reason | None = None
        self._calls = BoundedCalls(settings.source, settings.driver_timeout_s)
        self.server = None if settings.server is None else _server(settings.server)

    def check(self) -> None:
        """Refuse a source that nobody offers, before any test has run; SettingError."""
        parts_of(self._settings.source, self._offered, self._settings.prometheus_query)

    def meter(self) -> Meter:
        """A meter on the session's power source, which is opened for the first."""
        if self._sampler is None and (self._why_not is None or self._why_not.code != "no_source"):
            self._open()
        return Meter(self.clock, self._sampler, self._why_not, self._claim)

    def progress(self, said: Callable[[], str], *, often: bool = False) -> None:
        """Show where a long measurement is."""
        self._teller.show_progress(said, often=often)

    def rig(self) -> Rig:
        """What measured and what was measured, as far as a source was opened."""
        opened = self._opened
        return Rig(
            source=None if opened is None else opened.name,
            scope=None if opened is None else opened.facts.scope,
            driver=None if opened is None else opened.facts.driver,
            host=socket.gethostname(),
            python=platform.python_version(),
            platform=platform.platform(),
            devices=() if self._sampler is None else self._sampler.devices,
        )

    @property
    def fell_back(self) -> str | None:
        """Why ``auto`` came to an estimate, where it did."""
        return None if self._opened is None else self._opened.fell_back

    def close(self) -> None:
        """Give the source back."""
        if self._opened is not None:
            # All records are made: what goes wrong here changes none of them.
            with suppress(Exception):
                self._calls.call("close", self._opened.source.close)
            self._opened = self._sampler = None

    @cached_property
    def _offered(self) -> Offers:
        return self._offers()

    def _open(self) -> None:
        try:
            opened, sampler = self._calls.call("open", self._open_sampler, _give_back)
            self._opened, self._sampler, self._why_not = opened, sampler, None
            if not opened.facts.estimated:
                teller, wait_s = self._teller, self._settings.wait_s
                self._claim = Claim(sampler.devices, teller.show, teller.say, wait_s)
        except SourceError as error:
            self._why_not = Reason(error.code, str(error))

    def _open_sampler(self) -> tuple[OpenedSource, Sampler]:
        """A sampler of the source; SourceError, and it is closed, where it does not tell its devices."""
        settings = self._settings
        opened = open_source(settings.source, settings.devices, self._offered, settings.prometheus_query)
        try:
            devices = devices_of(opened.name, opened.source)
            roles = settings.roles
            source = SourceWithRoles(opened.source, roles) if roles else opened.source
            known = self._known_boards(opened.facts.driver, devices) if _is_calibrated(opened) else ()
            return opened, Sampler(source, self.clock, self._calls, known)
        except SourceError:
            with suppress(Exception):
                opened.source.close()
            raise


def _server(text: str) -> Looks:
    # Imported here: few sessions ask over HTTP, and urllib takes its time.
    from pytest_whq.scraping.address import address_from
    from pytest_whq.servers.server import Server

    return Server(address_from("--whq-server", text, "/metrics"))


def _is_calibrated(opened: OpenedSource) -> bool:
    """Whether it reads the sensors that are calibrated; others may show the same boards otherwise."""
    return "nvml" in opened.name.split("+")


def _give_back(opening: tuple[OpenedSource, Sampler]) -> None:
    opening[0].source.close()
