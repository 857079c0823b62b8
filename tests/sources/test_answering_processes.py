"""Processes that answer this one and were not started by it are named, and counted where they may be."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENT_S
from timed_estimate import TOLERANCE_S, TimedEstimate

from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.real_time import now_s
from pytest_whq.sources import answering_processes, open_sockets, process_tree
from pytest_whq.sources.combined import CombinedSource
from pytest_whq.sources.estimate import WATTS_PER_VCPU, EstimateSource

BURNT_S = 0.1

SERVER = """
import os, socket, sys, time
family, at, by_child = sys.argv[1:]
for _ in range(2):  # So that nobody knows any more who has started it.
    if os.fork():
        os._exit(0)
server = socket.socket(getattr(socket, family))
server.bind(at if family == "AF_UNIX" else (at, 0))
server.listen()
print(os.getpid(), at if family == "AF_UNIX" else server.getsockname()[1], flush=True)
os.close(1)

def burn():
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass

while True:
    answering = server.accept()[0]
    while (asked := answering.recv(9)):
        if asked == b"end":
            os._exit(0)
        if by_child == "True":
            if not os.fork():
                burn()
                os._exit(0)
            os.wait()
        else:
            burn()
        answering.send(b"done")
"""


class Server:
    """A server that no process of ours has started; each query takes it 0.1 s of CPU time."""

    def __init__(self, family: str, at: str, by_child: bool = False) -> None:
        code = [sys.executable, "-ISc", SERVER, family, at, str(by_child)]
        with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as starting:
            assert starting.stdout is not None
            pid, where = starting.stdout.readline().split()
        self.pid = int(pid)
        self.family = getattr(socket, family)
        self.at: str | tuple[str, int] = where if family == "AF_UNIX" else (at, int(where))

    @property
    def address(self) -> str:
        if isinstance(self.at, str):
            return self.at
        host, port = self.at
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def connect(self) -> socket.socket:
        connection = socket.socket(self.family)
        connection.connect(self.at)
        return connection

    def stop(self) -> None:
        with self.connect() as connection:
            connection.send(b"end")
            connection.recv(1)


@pytest.fixture(params=["tcp", "tcp6", "unix"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    where = {"tcp": ("AF_INET", "127.0.0.1"), "tcp6": ("AF_INET6", "::1")}
    if request.param == "tcp6" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    found = Server(*where.get(request.param, ("AF_UNIX", os.path.relpath(tmp_path / "s"))))
    yield found
    found.stop()


@pytest.fixture
def tcp_server() -> Iterator[Server]:
    found = Server("AF_INET", "127.0.0.1", by_child=True)
    yield found
    found.stop()


def find(server: Server, source: TimedEstimate) -> None:
    """Read until the server is found, which first has to accept the connection."""
    until_s = now_s() + PATIENT_S
    while server.pid not in source._tree:
        assert now_s() < until_s
        source.read()
        time.sleep(0.001)


def ask(connection: socket.socket, source: TimedEstimate) -> float:
    """The CPU seconds, beside those of this process, that are counted while a query is answered."""
    before_s = source.others_s()
    connection.send(b"query")
    connection.settimeout(0.01)
    while True:
        try:
            assert connection.recv(9) == b"done"
            return source.others_s() - before_s
        except TimeoutError:
            source.read()


def near_burnt() -> object:
    return pytest.approx(BURNT_S, abs=TOLERANCE_S)


def test_who_answers_is_counted_from_when_the_connection_is_there(server: Server) -> None:
    source, start_s = TimedEstimate(), now_s()
    with server.connect() as connection:
        find(server, source)
        assert ask(connection, source) == near_burnt()
        assert ask(connection, source) == near_burnt()
    [note] = source.notes_since(start_s)
    name = Path(f"/proc/{server.pid}/comm").read_text("utf-8").strip()
    whom = f"the CPU time of {name} (process {server.pid}), which answers at"
    assert note.startswith(f"{whom} {server.address} and was not started by this test, is counted from ")
    assert source.notes_since(now_s()) == ()


def test_what_it_used_before_and_a_later_connection_count_as_they_should(tcp_server: Server) -> None:
    with tcp_server.connect() as connection:
        connection.send(b"query")
        connection.recv(9)
    source = TimedEstimate()
    before_s = source.others_s()
    with tcp_server.connect() as connection:
        find(tcp_server, source)
        assert source.others_s() - before_s == pytest.approx(0.0, abs=TOLERANCE_S)
        start_s = now_s()
        assert ask(connection, source) == near_burnt()  # By a child of the one that answers.
    assert [note.endswith("is counted") for note in source.notes_since(start_s)] == [True]


def test_who_may_not_be_looked_into_is_named_and_not_counted(
    tcp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering_processes, "_owners", lambda inode, user: iter([None]))
    source, start_s = TimedEstimate(), now_s()
    with tcp_server.connect() as connection:
        assert ask(connection, source) == pytest.approx(0.0, abs=TOLERANCE_S)
        sentence = (
            f"the process that answers at {tcp_server.address}, of user {os.getuid()}, "
            "may not be looked into: its CPU time is not counted"
        )
        assert sentence in source.notes_since(start_s)
    time.sleep(0.02)
    assert sentence not in source.notes_since(now_s())


def test_a_connection_that_closes_while_its_owner_is_looked_for_says_nothing(
    own: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = own.getpeername()

    def owners(inode: str, user: int) -> Iterator[None]:
        own.close()
        yield None

    monkeypatch.setattr(answering_processes, "_owners", owners)
    source, start_s = EstimateSource(), now_s()
    while own.fileno() != -1:
        source.read()
    # Other tests of this process may have left connections of theirs.
    assert not [note for note in source.notes_since(start_s) if f"{host}:{port}" in note]


def test_of_very_many_the_first_are_told_and_the_latest_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = [open_sockets.Connection(f"socket:[{n}]", f"10.0.0.1:{n}") for n in range(1500)]
    monkeypatch.setattr(answering_processes, "connections", lambda known: iter(clients))
    source, start_s = EstimateSource(), now_s()
    assert source._answering is not None
    while "10.0.0.1:1499" not in source._answering._found:
        source.read()
    *first, more = source.notes_since(start_s)
    assert len(source._answering._found) == 1000
    assert [note.split()[5] for note in first] == [f"10.0.0.1:{n}" for n in range(500, 508)]
    assert more == "and so on of 992 more addresses"


def test_who_has_started_this_process_does_not_answer_it(
    tcp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ancestors = answering_processes._ancestors()
    monkeypatch.setattr(answering_processes, "_ancestors", lambda: ancestors | {tcp_server.pid})
    source, start_s = TimedEstimate(), now_s()
    with tcp_server.connect() as connection:
        assert ask(connection, source) == pytest.approx(0.0, abs=TOLERANCE_S)
    assert source.notes_since(start_s) == ()


def test_ancestors_are_known() -> None:
    assert os.getppid() in answering_processes._ancestors()
    assert os.getpid() not in answering_processes._ancestors()


@pytest.fixture
def own() -> Iterator[socket.socket]:
    """A connection of this process to itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connection = socket.create_connection(listening.getsockname())
        with connection, listening.accept()[0]:
            yield connection


def test_this_process_and_what_it_has_started_need_no_word(own: socket.socket) -> None:
    source, start_s = EstimateSource(), now_s()
    first, second = socket.socketpair()
    with first, second:
        source.read()
        source.read()
    assert source.notes_since(start_s) == ()


def test_a_connection_is_looked_at_once(own: socket.socket) -> None:
    link = os.readlink(f"/proc/self/fd/{own.fileno()}")
    found = [one for one in open_sockets.connections(frozenset()) if isinstance(one, open_sockets.Connection)]
    [address] = [one.address for one in found if one.link == link]
    assert address == "{}:{}".format(*own.getpeername())
    assert link in open_sockets.connections(frozenset({link}))


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("192.0.2.1", False), ("::1", True), ("2001:db8::1", False)],
)
def test_only_loopback_is_on_this_machine_whatever_the_own_address(host: str, is_loopback: bool) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    assert open_sockets._is_loopback(b"\x1f\x90" + socket.inet_pton(family, host)) == is_loopback


def test_a_measurement_says_who_was_counted(tcp_server: Server) -> None:
    clock = SystemClock()
    source = CombinedSource([EstimateSource()])
    meter = Meter(clock, Sampler(source, clock))
    with tcp_server.connect() as connection:
        wait(clock, meter.open())
        meter.begin()
        connection.send(b"query")
        connection.recv(9)
        meter.end()
        wait(clock, meter.close())
    found = meter.measurement(precision=0.02)
    assert found.energy_j == pytest.approx(BURNT_S * WATTS_PER_VCPU, rel=0.5)
    assert [f"(process {tcp_server.pid}), which answers at" in note for note in found.notes] == [True]


def test_elsewhere_than_on_linux_it_is_said_that_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_tree, "_proc_is_ours", lambda: False)
    assert EstimateSource().notes_since(0.0) == (
        "a server that this test did not start is not counted: only Linux tells its CPU time",
    )
