"""What a session measures with: its power source, opened by the first window, and its token readers."""

import platform
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, SystemClock
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Reason, Rig, TokenCount
from pytest_whq.plugin.progress import show_line, show_progress
from pytest_whq.plugin.settings import Settings
from pytest_whq.sources import OpenedSource, open_source, parts_of
from pytest_whq.sources.base import PowerSource
from pytest_whq.tokens import read_queries, unreadable


class SessionInstruments:
    """The session's `pytest_whq.measuring.ledger.Instruments`.

    A source that cannot be opened because there is none is not asked for again; one that fails in
    another way may come back, and is.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.clock: Clock = SystemClock()
        self._config = config
        self._settings = settings
        self._offered = _offered_sources(config)
        self._opened: OpenedSource | None = None
        self._sampler: Sampler | None = None
        self._claim: Claim | None = None
        self._why_not: Reason | None = None
        # A name that cannot be used is refused now, before any test has run.
        parts_of(settings.source, self._offered)

    def meter(self) -> Meter:
        """A meter on the session's power source, which is opened for the first."""
        if self._sampler is None and (self._why_not is None or self._why_not.code != "no_source"):
            self._open()
        return Meter(self.clock, self._sampler, self._why_not, self._claim)

    def read_queries(self, reply: object) -> tuple[TokenCount, ...] | None:
        """The tokens of each query that ``reply`` answers: by a plugin's reader, else by a built-in one."""
        count = self._config.hook.pytest_whq_read_tokens(reply=reply)
        return read_queries(reply) if count is None else (count,)

    def unreadable(self, reply: object) -> str:
        """The sentence that says why the tokens of ``reply`` are unknown."""
        return unreadable(reply)

    def progress(self, meter: Meter) -> None:
        """Show that a round of a long measurement is done."""
        show_progress(self._config, meter)

    def rig(self) -> Rig:
        """What measured and what was measured, as far as a source was opened."""
        opened = self._opened
        return Rig(
            source=None if opened is None else opened.name,
            scope=None if opened is None else opened.scope,
            driver=None if opened is None else opened.driver,
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
            self._opened.source.close()
            self._opened = self._sampler = None

    def _open(self) -> None:
        try:
            self._opened = open_source(self._settings.source, self._settings.devices, self._offered)
            self._sampler = Sampler(self._opened.source, self.clock)
            if not self._opened.estimated:
                self._claim = Claim(self._sampler.devices, lambda text: show_line(self._config, text))
            self._why_not = None
        except SourceError as error:
            self._why_not = Reason(error.code, str(error))


def _offered_sources(config: pytest.Config) -> Mapping[str, Callable[[], PowerSource]]:
    """The power sources that plugins offer, by name; SettingError where two offer the same name."""
    offered: dict[str, Callable[[], PowerSource]] = {}
    owners: dict[str, str] = {}
    for implementation in config.hook.pytest_whq_power_sources.get_hookimpls():
        owner = implementation.plugin_name
        offer: Any = implementation.function()
        for name, factory in offer.items():
            if name in offered:
                raise SettingError(
                    f"Two plugins offer a power source by the name {name!r}: {owners[name]} and {owner}. "
                    "Rename one of them."
                )
            offered[name], owners[name] = factory, owner
    return offered
