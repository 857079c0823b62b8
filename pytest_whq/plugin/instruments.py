"""What a session measures with: its power source, opened by the first window, and who reads replies."""

import platform
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import pytest

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, SystemClock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, Reason, Rig
from pytest_whq.plugin.progress import LiveLine
from pytest_whq.plugin.settings import Settings, TokenizerSetting
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.sources import OpenedSource, open_source, parts_of
from pytest_whq.sources.base import PowerSource
from pytest_whq.tokens.tokenizer import Tokenizer, load_tokenizer

__tracebackhide__ = True  # As in `fixture`: its errors are about the test's own lines.


class SessionInstruments(Instruments):
    """Those of a pytest session.

    A source that cannot be opened because there is none is not asked for again; one that fails in
    another way may come back, and is.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.clock: Clock = SystemClock()
        self.live_line = LiveLine(config)
        self._config = config
        self._settings = settings
        self._opened: OpenedSource | None = None
        self._sampler: Sampler | None = None
        self._claim: Claim | None = None
        self._why_not: Reason | None = None

    def check(self) -> None:
        """Refuse a source that nobody offers, before any test has run; SettingError."""
        parts_of(self._settings.source, self._offered)

    def meter(self) -> Meter:
        """A meter on the session's power source, which is opened for the first."""
        if self._sampler is None and (self._why_not is None or self._why_not.code != "no_source"):
            self._open()
        return Meter(self.clock, self._sampler, self._why_not, self._claim)

    @cached_property
    def reader(self) -> ReplyReader:
        """What reads replies; SettingError where the tokenizer that the user names cannot be loaded."""
        ask_plugins = self._config.hook.pytest_whq_read_tokens
        return ReplyReader(lambda reply: ask_plugins(reply=reply), _tokenizer(self._settings.tokenizer))

    def progress(self, meter: Meter) -> None:
        """Show that a round of a long measurement is done."""
        self.live_line.show_round(meter)

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
            # All records are made: what goes wrong here changes none of them.
            with suppress(Exception):
                self._opened.source.close()
            self._opened = self._sampler = None

    @cached_property
    def _offered(self) -> Mapping[str, Callable[[], PowerSource]]:
        return _offered_sources(self._config)

    def _open(self) -> None:
        try:
            opened = open_source(self._settings.source, self._settings.devices, self._offered)
            self._sampler = _sampler_of(opened, self.clock)
            self._opened, self._why_not = opened, None
            if not opened.estimated:
                self._claim = Claim(self._sampler.devices, self.live_line.show)
        except SourceError as error:
            self._why_not = Reason(error.code, str(error))


def _tokenizer(setting: TokenizerSetting | None) -> Tokenizer | None:
    if setting is None:
        return None
    try:
        return load_tokenizer(setting.named, setting.folder)
    except SettingError as error:
        raise SettingError(f"{setting.where} {error}") from error


def _sampler_of(opened: OpenedSource, clock: Clock) -> Sampler:
    """A sampler of the source; SourceError, and the source is closed, where it does not tell its devices."""
    try:
        sampler = Sampler(opened.source, clock)
        _check_devices(opened.name, sampler.devices)
    except Exception as error:  # A plugin's own code: anything may come out of it.
        with suppress(Exception):
            opened.source.close()
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"The power source {opened.name} does not tell its devices: {error!r}") from error
    return sampler


def _check_devices(source: str, devices: Sequence[object]) -> None:
    if not devices:
        raise SourceError(f"The power source {source} has no devices.", "no_source")
    for device in devices:
        if not (isinstance(device, Device) and isinstance(device.id, str) and isinstance(device.name, str)):
            raise SourceError(
                f"The power source {source} must give each device as a Device with id and name as text, "
                f"not {device!r}."
            )


def _offered_sources(config: pytest.Config) -> Mapping[str, Callable[[], PowerSource]]:
    """The power sources that plugins offer, by name; SettingError where two offer the same name."""
    offered: dict[str, Callable[[], PowerSource]] = {}
    owners: dict[str, str] = {}
    for implementation in config.hook.pytest_whq_power_sources.get_hookimpls():
        owner = implementation.plugin_name
        for name, factory in _offer(owner, implementation.function).items():
            if name in offered:
                raise SettingError(
                    f"Two plugins offer a power source by the name {name!r}: {owners[name]} and {owner}. "
                    "Rename one of them."
                )
            offered[name], owners[name] = factory, owner
    return offered


def _offer(owner: str, hook: Callable[[], Any]) -> Mapping[str, Callable[[], PowerSource]]:
    try:
        offer = hook()
    except Exception as error:
        raise SettingError(f"pytest_whq_power_sources of {owner} failed: {error!r}") from error
    if not isinstance(offer, Mapping) or not all(callable(factory) for factory in offer.values()):
        raise SettingError(
            f"pytest_whq_power_sources of {owner} must return a dict of names and functions "
            f"that open a source, not {offer!r}."
        )
    return offer
