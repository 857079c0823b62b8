"""What the workers of pytest-xdist send, and how their controller puts it on one line."""

import io
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.plugin.worker_lines import SentLine, WorkerLines

SAVE, RESTORE, CLEAR = "\x1b7", "\x1b8", "\x1b[K"


class Channel:
    """The end of a channel at which both sides meet."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.callback: Any = self.sent.append

    def setcallback(self, callback: Any) -> None:
        self.callback = callback

    def send(self, told: tuple[str, str]) -> None:
        self.callback(told)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Controller:
    """A `WorkerLines` on a terminal of 60 columns, and the channels of its workers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Not in a fixture: pytest's capturing puts a standard output of its own in place after that.
        self.terminal = Terminal()
        monkeypatch.setattr("sys.stdout", self.terminal)
        writer = SimpleNamespace(fullwidth=60, width_of_current_line=0)
        config: Any = SimpleNamespace(get_terminal_writer=lambda: writer)
        self.lines = WorkerLines(config)

    def worker(self, name: str) -> Channel:
        channel = Channel()
        gateway = SimpleNamespace(id=name, newchannel=lambda: channel)
        self.lines.hear(SimpleNamespace(gateway=gateway, workerinput={}))
        return channel

    def shown(self) -> list[str]:
        """What was written since this was asked last, a line that is taken back as an empty text."""
        written = self.terminal.getvalue()
        self.terminal.seek(0)
        self.terminal.truncate()
        return [part.removesuffix(CLEAR) for part in written.replace(RESTORE, "").split(SAVE)[1:]]


def test_lines_of_workers_stand_side_by_side_as_far_as_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    controller = Controller(monkeypatch)
    one, other, third = (controller.worker(name) for name in ("gw0", "gw1", "gw2"))
    one.send(("test_it.py::test_chat", "round 1 of 5, 1.0 s"))
    other.send(("test_it.py::test_load[llama]", "measuring"))
    third.send(("test_it.py::test_load[qwen]", "waiting for H100"))
    assert controller.shown() == [
        " test_chat: round 1 of 5, 1.0 s",
        " test_chat: round 1 of 5, 1.0 s · 1 more",
        " test_chat: round 1 of 5, 1.0 s · 2 more",
    ]
    one.send(("test_it.py::test_chat", ""))
    other.send(("test_it.py::test_load[llama]", ""))
    third.send(("test_it.py::test_load[qwen]", ""))
    assert controller.shown() == [
        " test_load[llama]: measuring · 1 more",
        " test_load[qwen]: waiting for H100",
        "",
    ]


def test_nothing_is_shown_while_pytest_writes_and_what_is_due_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller = Controller(monkeypatch)
    channel = controller.worker("gw0")
    channel.send(("test_chat", "measuring"))
    writes = controller.lines.pytest_runtest_logreport()
    next(writes)
    assert controller.shown() == [" test_chat: measuring", ""]
    channel.send(("test_chat", "3 queries recorded"))
    assert controller.shown() == []
    with pytest.raises(StopIteration):
        next(writes)
    assert controller.shown() == [" test_chat: 3 queries recorded"]


def test_a_worker_that_is_gone_shows_nothing_until_pytest_has_written_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller = Controller(monkeypatch)
    gone, other = controller.worker("gw0"), controller.worker("gw1")
    gone.send(("test_crash", "measuring"))
    controller.lines.pytest_testnodedown(SimpleNamespace(gateway=SimpleNamespace(id="gw0")))
    other.send(("test_chat", "measuring"))
    assert controller.shown() == [" test_crash: measuring", ""]
    writes = controller.lines.pytest_runtest_logreport()
    next(writes)
    with pytest.raises(StopIteration):
        next(writes)
    assert controller.shown() == [" test_chat: measuring"]
    controller.lines.pytest_sessionfinish()
    other.send(("test_chat", "2 queries recorded"))
    assert controller.shown() == [""]


def test_a_worker_sends_its_test_and_asks_nothing_where_nobody_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_it.py::test_chat[a b] (call)")
    channel = Channel()
    config: Any = SimpleNamespace(workerinput={"whq_live_line": channel})
    line = SentLine(config)
    line.show("")
    line.show_progress(lambda: "round 1", often=False)
    line.show_progress(lambda: pytest.fail("too soon"), often=False)
    line.show("")
    line.say("waiting")
    assert channel.sent == [("test_it.py::test_chat[a b]", "round 1"), ("test_it.py::test_chat[a b]", "")]
    unheard: Any = SimpleNamespace(workerinput={})
    line = SentLine(unheard)
    line.show_progress(lambda: pytest.fail("asked for nobody"), often=False)
    line.say("waiting")
    assert capsys.readouterr().err == "waiting\n"
