"""The live line of a long measurement, on a terminal that can take it back."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest

from pytest_whq.real_time import now_s
from pytest_whq.rendering.words import one_line

BETWEEN_S = 0.5
"""What changes often is shown anew after so long."""

_SAVE, _RESTORE, _CLEAR = "\x1b7", "\x1b8", "\x1b[K"


class LiveLine:
    """Stands behind what pytest has written on the line, for as long as a test measures.

    With -q, with -s (whose output it would mix with) and where no terminal shows it, there is none.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._shown = False
        self._next_s = 0.0

    def show_progress(self, said: Callable[[], str], *, often: bool) -> None:
        """Show what is ``said``; of what changes ``often``, twice a second, from the main thread alone."""
        if often:
            # Capturing ends and begins for the line, which no other thread may see.
            if now_s() < self._next_s or threading.current_thread() is not threading.main_thread():
                return
            self._next_s = now_s() + BETWEEN_S
        if is_live(self._config):
            self.show(said())

    def show(self, text: str) -> None:
        """Show this; nothing takes the line back."""
        if is_live(self._config) and (text or self._shown):
            self._write(f" {one_line(text)}" if text else "")
            self._shown = bool(text)

    def say(self, text: str) -> None:
        """Write this as a line of the log, where no live line shows it."""
        with self._uncaptured():
            if is_live(self._config) and sys.stdout.isatty():
                return
            reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.ensure_newline()
                reporter.write_line(one_line(text), flush=True)

    def _write(self, text: str) -> None:
        with self._uncaptured():
            show_behind(self._config, text)

    def _uncaptured(self) -> AbstractContextManager[None]:
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture else nullcontext()


def is_live(config: pytest.Config) -> bool:
    """Whether a live line disturbs nobody, if standard output is a terminal."""
    return (
        config.pluginmanager.has_plugin("terminalreporter")
        and config.get_verbosity() >= 0
        and config.getoption("capture", "no") != "no"
        and os.environ.get("TERM") != "dumb"
    )


def show_behind(config: pytest.Config, text: str) -> None:
    """Write ``text`` behind what pytest has written on the line, as far as there is room."""
    writer = config.get_terminal_writer()
    room = writer.fullwidth - writer.width_of_current_line - 1
    if room > 0 and sys.stdout.isatty():
        # Not by the writer, which counts columns: pytest's own line stays as it thinks it is.
        with suppress(OSError, UnicodeError):
            sys.stdout.write(f"{_SAVE}{text[:room]}{_CLEAR}{_RESTORE}")
            sys.stdout.flush()
