"""When an engine is looked at, and for how long it is waited for."""

import threading

import pytest
from vllm_server import VllmServer

from pytest_whq.errors import SourceError
from pytest_whq.measuring import server_watch
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.server_watch import ServerWatch
from pytest_whq.model.serving import ServerWork
from pytest_whq.servers.counters import Page, page_of
from pytest_whq.testing import FakeClock


class Scripted:
    """An engine that is looked at without a network."""

    def __init__(self, engine: VllmServer) -> None:
        self.engine = engine
        self.fails: Exception | None = None

    def look(self) -> Page:
        if self.fails is not None:
            raise self.fails
        return page_of(self.engine.page())


class Watched:
    """A watch that has begun."""

    def __init__(self, engine: VllmServer) -> None:
        self.clock, self.looks = FakeClock(), Scripted(engine)
        self.watch = ServerWatch(self.looks)
        wait(self.clock, self.watch.begins())

    def ended(self, sent: int) -> ServerWork | str | None:
        return wait(self.clock, self.watch.ended(sent))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits be over soon, in the real time that they are in."""
    monkeypatch.setattr(server_watch, "QUIET_S", 0.2)
    monkeypatch.setattr(server_watch, "LATE_S", 0.2)


def test_what_was_before_is_not_of_the_window() -> None:
    engine = VllmServer()
    engine.ask()
    watched = Watched(engine)
    engine.ask(prompt=30, output=7, cached=10)
    assert watched.ended(1) == ServerWork("vLLM", 1, 0, 30, 7, 10, 20)
    # Two looks are enough where nothing is late.
    assert engine.looks == 2


def test_an_engine_that_counts_late_is_waited_for() -> None:
    engine = VllmServer(late=3)
    watched = Watched(engine)
    engine.ask()
    work = watched.ended(1)
    assert isinstance(work, ServerWork)
    assert (work.queries, engine.looks) == (1, 5)


def test_requests_that_run_are_waited_for_at_either_end(impatient: None) -> None:
    engine = VllmServer()
    engine.running = 1
    watched = Watched(engine)
    assert engine.looks > 1
    looks = engine.looks
    engine.ask()
    work = watched.ended(1)
    assert isinstance(work, ServerWork)
    assert work.queries == 1
    assert engine.looks > looks + 1


def test_what_others_ask_after_the_window_is_not_waited_for() -> None:
    engine = VllmServer()
    watched = Watched(engine)
    engine.running = 1
    engine.ask()
    engine.ask()
    looks = engine.looks
    work = watched.ended(1)
    assert isinstance(work, ServerWork)
    assert (work.queries, engine.looks) == (2, looks + 1)


def test_one_that_never_counts_them_is_not_waited_for_longer(impatient: None) -> None:
    watched = Watched(VllmServer())
    work = watched.ended(3)
    assert isinstance(work, ServerWork)
    assert work.queries == 0


def test_a_restart_is_said() -> None:
    engine = VllmServer()
    engine.ask()
    watched = Watched(engine)
    engine.restart()
    assert watched.ended(1) == (
        "vLLM was started anew while the window was open, or several engines answer at whq_server in turn: "
        "its counters tell nothing of the window"
    )


@pytest.mark.parametrize("error", [SourceError("whq_server: gone."), RuntimeError("gone")])
@pytest.mark.parametrize("before", [True, False])
def test_a_look_that_fails_is_said(error: Exception, before: bool) -> None:
    watched = Watched(VllmServer())
    watched.looks.fails = error
    if before:
        wait(watched.clock, watched.watch.begins())
        watched.looks.fails = None
    work = watched.ended(1)
    assert isinstance(work, str)
    assert work.startswith("whq_server: ")
    assert "gone" in work


def test_another_window_beside_makes_it_tell_nothing() -> None:
    watched = Watched(VllmServer())
    watched.watch.spoilt = True
    assert watched.ended(1) is None


def test_one_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_watch, "_LONGEST_S", 0.01)
    clock, over = FakeClock(), threading.Event()

    class Hanging:
        def look(self) -> Page:
            over.wait(5.0)
            raise SourceError("too late")

    watch = ServerWatch(Hanging())
    wait(clock, watch.begins())
    over.set()
    assert wait(clock, watch.ended(1)) == "whq_server: the engine has not answered within 0 s."
