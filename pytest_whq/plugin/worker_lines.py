"""The live lines of pytest-xdist's workers, which have no terminal: sent, and shown by their controller."""

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from pytest_whq.plugin.items import is_worker
from pytest_whq.plugin.progress import BETWEEN_S, LiveLine, is_live, show_behind
from pytest_whq.real_time import now_s
from pytest_whq.rendering.names import shortened
from pytest_whq.rendering.words import one_line

_CHANNEL = "whq_live_line"
_NAME_WIDTH = 30


class SentLine:
    """What a worker measures, sent to its controller, for as long as that shows it; else the log alone."""

    def __init__(self, config: pytest.Config) -> None:
        self._channel: Any = vars(config)["workerinput"].get(_CHANNEL)
        self._sent = False
        self._next_s = 0.0

    def show_progress(self, said: Callable[[], str], *, often: bool) -> None:
        """Send what is ``said``, twice a second at most."""
        if self._channel is not None and now_s() >= self._next_s:
            self._next_s = now_s() + BETWEEN_S
            self.show(said())

    def show(self, text: str) -> None:
        """Send this; nothing takes the line back."""
        if self._channel is not None and (text or self._sent):
            test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
            # A controller that has gone ends this process by itself.
            with suppress(OSError):
                self._channel.send((test, text))
            self._sent = bool(text)
        if not text:
            self._next_s = 0.0

    def say(self, text: str) -> None:
        """Write this where the controller shows nothing: of a worker, errors alone reach the log."""
        if self._channel is None:
            print(one_line(text), file=sys.stderr, flush=True)


def line_for(config: pytest.Config) -> LiveLine | SentLine:
    """Where a session tells how far its measurements are."""
    return SentLine(config) if is_worker(config) else LiveLine(config)


class WorkerLines:
    """Shows in one line what all workers measure, behind what pytest has written.

    They are heard in threads of execnet, and pytest writes in its own. Around each hook in which it does,
    the line is taken back, and not shown in between.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told: dict[str, tuple[str, str]] = {}
        self._shown = False
        self._held = False
        self._writing = threading.Lock()

    def hear(self, node: Any) -> None:
        """Let the worker that ``node`` is about to start send its lines."""
        channel = node.gateway.newchannel()
        channel.setcallback(partial(self._take, node.gateway.id))
        node.workerinput[_CHANNEL] = channel

    def _take(self, worker: str, told: tuple[str, str]) -> None:
        if told[1]:
            self._told[worker] = told
        else:
            self._told.pop(worker, None)
        # Not waited for: who writes shows the line that is then due.
        if not self._held and self._writing.acquire(blocking=False):
            try:
                self._draw()
            finally:
                self._writing.release()

    def _draw(self) -> None:
        text = _together(list(self._told.values()), self._room())
        if text or self._shown:
            show_behind(self._config, text)
        self._shown = bool(text)

    def _room(self) -> int:
        writer = self._config.get_terminal_writer()
        return writer.fullwidth - writer.width_of_current_line - 1

    def _erase(self) -> None:
        if self._shown:
            show_behind(self._config, "")
            self._shown = False

    def _around(self) -> Generator[None, Any, Any]:
        with self._writing:
            self._erase()
            try:
                return (yield)
            finally:
                self._held = False
                self._draw()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, Any, Any]:
        """Pytest writes the name of a test."""
        return (yield from self._around())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, Any, Any]:
        """Pytest writes the outcome of a test."""
        return (yield from self._around())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, Any, Any]:
        """Pytest writes how many tests are done."""
        return (yield from self._around())

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended, of which pytest-xdist writes after this where it had crashed."""
        self._told.pop(node.gateway.id, None)
        self._hold()

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self) -> None:
        """Pytest writes a traceback."""
        self._hold()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Pytest writes its summary."""
        self._hold()

    def _hold(self) -> None:
        with self._writing:
            self._held = True
            self._erase()


def hear_worker(config: pytest.Config, node: Any) -> None:
    """Show on the terminal what the worker that ``node`` starts will measure, where that disturbs nobody."""
    if not is_live(config):
        return
    name = "whq-worker-lines"
    lines: Any = config.pluginmanager.get_plugin(name)
    if lines is None:
        lines = WorkerLines(config)
        config.pluginmanager.register(lines, name)
    lines.hear(node)


def _together(told: list[tuple[str, str]], room: int) -> str:
    """As many of the lines ``told`` as there is room for, and how many more there are."""
    lines = [
        f"{shortened(one_line(test).rpartition('::')[2], _NAME_WIDTH)}: {one_line(text)}"
        for test, text in told
    ]
    for shown in range(len(lines), 0, -1):
        more = f" · {len(lines) - shown:,} more" if shown < len(lines) else ""
        text = f" {' · '.join(lines[:shown])}{more}"
        if len(text) <= room or shown == 1:
            return text
    return ""
