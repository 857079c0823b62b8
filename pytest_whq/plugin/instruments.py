"""What a session measures with: its power source, opened by the first window, and who reads replies."""

import platform
import socket
from contextlib import suppress
from functools import cached_property

import pytest

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, session_clock
from pytest_whq.measuring.instruments import Instruments
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.measuring.server_watch import Looks
from pytest_whq.model import Reason, Rig
from pytest_whq.plugin.progress import LiveLine
from pytest_whq.plugin.settings import Settings, TokenizerSetting
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.sources import Offers, OpenedSource, open_source, parts_of
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.sources.facts import devices_of
from pytest_whq.sources.offered import gather_offers
from pytest_whq.sources.roles import SourceWithRoles
from pytest_whq.tokens.tokenizer import Tokenizer, load_tokenizer

__tracebackhide__ = True  # As in `fixture`: its errors are about the test's own lines.


class SessionInstruments(Instruments):
    """Those of a pytest session.

    A source that cannot be opened because there is none is not asked for again; one that fails in
    another way may come back, and is.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.clock: Clock = session_clock()
        self.live_line = LiveLine(config)
        self._config = config
        self._settings = settings
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
        hooks = self._config.hook.pytest_whq_power_sources.get_hookimpls()
        return gather_offers((hook.plugin_name, hook.function) for hook in hooks)

    def _open(self) -> None:
        try:
            opened, sampler = self._calls.call("open", self._open_sampler, _give_back)
            self._opened, self._sampler, self._why_not = opened, sampler, None
            if not opened.facts.estimated:
                line, wait_s = self.live_line, self._settings.wait_s
                self._claim = Claim(sampler.devices, line.show, line.say, wait_s)
        except SourceError as error:
            self._why_not = Reason(error.code, str(error))

    def _open_sampler(self) -> tuple[OpenedSource, Sampler]:
        """A sampler of the source; SourceError, and it is closed, where it does not tell its devices."""
        settings = self._settings
        opened = open_source(settings.source, settings.devices, self._offered, settings.prometheus_query)
        try:
            devices_of(opened.name, opened.source)
            roles = settings.roles
            source = SourceWithRoles(opened.source, roles) if roles else opened.source
            return opened, Sampler(source, self.clock, self._calls)
        except SourceError:
            with suppress(Exception):
                opened.source.close()
            raise


def _server(text: str) -> Looks:
    # Imported here: few sessions ask over HTTP, and urllib takes its time.
    from pytest_whq.scraping.address import address_from
    from pytest_whq.servers.server import Server

    return Server(address_from("--whq-server", text, "/metrics"))


def _tokenizer(setting: TokenizerSetting | None) -> Tokenizer | None:
    if setting is None:
        return None
    try:
        return load_tokenizer(setting.named, setting.folder)
    except SettingError as error:
        raise SettingError(f"{setting.where} {error}") from error


def _give_back(opening: tuple[OpenedSource, Sampler]) -> None:
    opening[0].source.close()
