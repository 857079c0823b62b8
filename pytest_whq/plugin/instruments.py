"""What a pytest session measures with: what its plugins offer, and who reads replies."""

from collections.abc import Sequence
from functools import cached_property

import pytest

from pytest_whq.calling.source_instruments import SourceInstruments
from pytest_whq.errors import SettingError
from pytest_whq.model import CalibratedBoard, Device
from pytest_whq.plugin.settings import Settings, TokenizerSetting
from pytest_whq.plugin.worker_lines import line_for
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.sources import Offers
from pytest_whq.sources.offered import gather_offers
from pytest_whq.tokens.tokenizer import Tokenizer, load_tokenizer

__tracebackhide__ = True  # As in `fixture`: its errors are about the test's own lines.


class SessionInstruments(SourceInstruments):
    """Those of a pytest session."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.live_line = line_for(config)
        self._config = config
        self._tokenizer = settings.tokenizer
        super().__init__(settings, self._gather, self.live_line, _known_boards)

    @cached_property
    def reader(self) -> ReplyReader:
        """What reads replies; SettingError where the tokenizer that the user names cannot be loaded."""
        ask_plugins = self._config.hook.pytest_whq_read_tokens
        return ReplyReader(lambda reply: ask_plugins(reply=reply), _tokenizer(self._tokenizer))

    def _gather(self) -> Offers:
        hooks = self._config.hook.pytest_whq_power_sources.get_hookimpls()
        return gather_offers((hook.plugin_name, hook.function) for hook in hooks)


def _known_boards(driver: str | None, devices: Sequence[Device]) -> Sequence[CalibratedBoard]:
    # Imported here: sessions that measure nothing open no source.
    from pytest_whq.storing.known_boards import known_boards

    return known_boards(driver, devices)


def _tokenizer(setting: TokenizerSetting | None) -> Tokenizer | None:
    if setting is None:
        return None
    try:
        return load_tokenizer(setting.named, setting.folder)
    except SettingError as error:
        raise SettingError(f"{setting.where} {error}") from error
