"""Processes of this machine that answer this one and were not started by it: who they are."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pytest_whq.real_time import now_s
from pytest_whq.sources.open_sockets import Connection, connections
from pytest_whq.sources.process_tree import ProcessTree, read_stat
from pytest_whq.units import format_seconds

_SEARCH_SHARE = 0.02
"""Of one core, what the search may take."""

_LONGEST_S = 0.02
"""What a search may take at once: it goes on with the next reading."""

_MOST, _MOST_NOTES = 1000, 8
"""Kept, and told of one by one: who connects to a server in this process has another address each time."""

_ESTABLISHED = "01"
_NOBODY = "0"

_ONLY_LISTENS = "systemd"
"""Listens for services and starts them: what it started is most of the machine."""


@dataclass(slots=True)
class _Answering:
    """What answers at ``address``: a process of ``name``, or none that may be looked into.

    ``user`` is whose it is, as far as the system tells; ``connected_s`` is when it was last connected,
    by the socket ``link``.
    """

    address: str
    link: str
    found_s: float
    connected_s: float
    pid: int | None
    name: str = ""
    user: int | None = None


class AnsweringProcesses:
    """Finds who answers, and has each counted in ``tree``, with all that it starts, from then on.

    Those that have started this process are left out: an editor that runs the tests listens to them.
    """

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self._settled: frozenset[str] = frozenset()
        self._found: dict[str, _Answering] = {}
        self._looking: Iterator[None] = iter(())
        self._next_search_s = 0.0

    def search(self) -> None:
        """Look for new ones, unless the last search was a moment ago."""
        if now_s() < self._next_search_s:
            return
        started_s = time.thread_time()
        done = object()
        with suppress(OSError):  # No more files may be open.
            while next(self._looking, done) is not done:
                if time.thread_time() - started_s > _LONGEST_S:
                    break
            else:
                self._looking = self._look()
                self._next_search_s = now_s() + (time.thread_time() - started_s) / _SEARCH_SHARE

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """A sentence on each that has used CPU time since ``start_s``, or whose time is not known."""
        found = [one for one in self._found.values() if self._matters(one, start_s)]
        notes = [self._note(one, start_s) for one in found[:_MOST_NOTES]]
        if len(found) > _MOST_NOTES:
            notes.append(f"and so on of {len(found) - _MOST_NOTES} more addresses")
        return tuple(notes)

    def _matters(self, one: _Answering, start_s: float) -> bool:
        last_s = one.connected_s if one.pid is None else self._tree.last_used_s(one.pid)
        return last_s >= start_s

    def _note(self, one: _Answering, start_s: float) -> str:
        if one.pid is None:
            whose = "" if one.user is None else f", of user {one.user},"
            return (
                f"the process that answers at {one.address}{whose} may not be looked into: "
                "its CPU time is not counted"
            )
        late_s = one.found_s - start_s
        late = f" from {format_seconds(late_s)} after the start on" if late_s > 0 else ""
        return (
            f"the CPU time of {one.name} (process {one.pid}), which answers at {one.address} and was not "
            f"started by this test, is counted{late}"
        )

    def _look(self) -> Iterator[None]:
        """One look at all connections, in steps."""
        settled, fresh = set(), []
        for connection in connections(self._settled):
            if isinstance(connection, str):
                settled.add(connection)
            elif connection.address is None or self._counts(connection.address):
                settled.add(connection.link)
            else:
                fresh.append(connection)
        self._settled = frozenset(settled)
        for connection in fresh:
            yield from self._resolve(connection)

    def _counts(self, address: str) -> bool:
        found = self._found.get(address)
        return found is not None and found.pid is not None and found.pid in self._tree

    def _resolve(self, connection: Connection) -> Iterator[None]:
        """Find who is at the other end of ``connection``, in steps."""
        address = connection.address or ""
        known = self._found.get(address)
        if known is not None and known.pid is None and known.link == connection.link:
            known.connected_s = now_s()
            return
        pid, user = connection.pid, None
        if connection.ends is not None:
            if (owner := _other_end(connection.ends)) is None:
                return
            inode, uid = owner
            if inode:
                user = uid
                for owner_pid in _owners(inode, user):
                    pid = owner_pid
                    yield
                if pid is None and _other_end(connection.ends) != owner:
                    return  # Closed meanwhile, so that nobody holds it any more.
        if pid is not None and (pid in self._tree or pid in _ancestors()):
            self._settled |= {connection.link}
            return
        name = _name_of(pid)
        if name == _ONLY_LISTENS or (pid is not None and not self._tree.adopt(pid)):
            pid = None
        while address not in self._found and len(self._found) >= _MOST:
            del self._found[next(iter(self._found))]
        self._found[address] = _Answering(address, connection.link, now_s(), now_s(), pid, name, user)


def _other_end(ends: tuple[str, str]) -> tuple[str, int] | None:
    """The inode and the user of the socket at the other end of a connection between ``ends``, ours first.

    The inode is empty where that socket is of another network namespace. None where it cannot be told now:
    the other end has not accepted the connection yet, or one has closed it.
    """
    ours, theirs = ends
    connected = False
    for table in ("tcp", "tcp6"):
        with suppress(OSError), open(f"/proc/self/net/{table}", encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[3] != _ESTABLISHED:
                    continue
                if fields[1].endswith(theirs) and fields[2].endswith(ours):
                    return None if fields[9] == _NOBODY else (fields[9], int(fields[7]))
                connected |= fields[1].endswith(ours) and fields[2].endswith(theirs)
    return ("", -1) if connected else None


def _owners(inode: str, user: int) -> Iterator[int | None]:
    """The process that holds the socket, last; before it None for each that does not."""
    link = f"socket:[{inode}]"
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == user and link in _links(pid):
                yield int(pid)
                return
        yield None


def _links(pid: str) -> Iterator[str]:
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            yield os.readlink(f"/proc/{pid}/fd/{name}")


def _ancestors() -> set[int]:
    found: set[int] = set()
    pid = os.getppid()
    while pid not in found and (stat := read_stat(pid)) is not None:
        found.add(pid)
        pid = stat.parent
    return found


def _name_of(pid: int | None) -> str:
    with suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="backslashreplace") as file:
        return file.read().rstrip("\n")
    return ""
