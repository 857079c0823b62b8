"""CPU time of this process and of what it started, as /proc tells it."""

import os
import time
from dataclasses import dataclass
from typing import NamedTuple

from pytest_whq.real_time import now_s

_SEARCH_SHARE = 0.02
"""Of one core, what looking for new processes may take: about 1 µs for each one of the machine."""


class Stat(NamedTuple):
    """One process as /proc shows it; times in seconds, the start in clock ticks since boot."""

    parent: int
    start: int
    own_s: float
    waited_s: float


@dataclass(slots=True)
class _Process:
    """A process of the tree and what of it is in the total already.

    ``waited_s`` is the CPU time of children that it waited for, and of those that they waited for.
    ``credit_s`` is time of vanished children that was counted while they lived: it is going to
    appear in ``waited_s`` and must not count a second time.
    """

    parent: int
    start: int
    own_s: float = 0.0
    waited_s: float = 0.0
    credit_s: float = 0.0


class ProcessTree:
    """CPU time of this process and its descendants, living or not, as far as it can be seen."""

    def __init__(self) -> None:
        self._root = os.getpid()
        # Every process stands after its parent, and a reused pid anew at the end.
        self._processes = {self._root: _Process(parent=0, start=0)}
        self._listed: set[tuple[str, int]] = set()
        self._next_search_s = 0.0 if _proc_is_ours() else float("inf")
        self._total_s = 0.0
        self._reading_s = 0.0

    def cpu_seconds(self) -> float:
        """Seconds of CPU time since this process started; never less than the time before."""
        started_s = time.thread_time()
        # Parents are read before their children: a child that is read alive here cannot be
        # in its parent's ``waited_s`` too.
        stats = {self._root: _own_stat(self._reading_s + time.thread_time() - started_s)}
        for pid, process in self._processes.items():
            if pid != self._root and (stat := read_stat(pid)) and stat.start == process.start:
                stats[pid] = stat
        for pid in reversed([pid for pid in self._processes if pid not in stats]):
            self._forget(pid)
        for pid in self._find_new():
            if stat := read_stat(pid):
                stats[pid] = stat
        for pid, stat in stats.items():
            self._count(self._processes[pid], stat)
        self._reading_s += time.thread_time() - started_s
        return self._total_s

    def _count(self, process: _Process, stat: Stat) -> None:
        waited_s = max(0.0, stat.waited_s - process.waited_s)
        counted_before_s = min(waited_s, process.credit_s)
        process.credit_s -= counted_before_s
        self._total_s += max(0.0, stat.own_s - process.own_s) + waited_s - counted_before_s
        process.own_s = max(process.own_s, stat.own_s)
        process.waited_s = max(process.waited_s, stat.waited_s)
        process.parent = stat.parent

    def _forget(self, pid: int) -> None:
        gone = self._processes.pop(pid)
        if parent := self._processes.get(gone.parent):
            parent.credit_s += gone.own_s + gone.waited_s + gone.credit_s

    def _find_new(self) -> list[int]:
        """Add the descendants that were not there at the last search; their pids, parents first."""
        if now_s() < self._next_search_s:
            return []
        started_s = time.thread_time()
        with os.scandir("/proc") as entries:
            # A pid that is used again has another inode number.
            listed = {(entry.name, entry.inode()) for entry in entries if entry.name.isdecimal()}
        self._next_search_s = now_s() + (time.thread_time() - started_s) / _SEARCH_SHARE
        unknown = {int(name) for name, _ in listed - self._listed}
        self._listed = listed
        stats = {pid: stat for pid in unknown - self._processes.keys() if (stat := read_stat(pid))}
        added: list[int] = []
        while found := [pid for pid, stat in stats.items() if stat.parent in self._processes]:
            for pid in found:
                stat = stats.pop(pid)
                self._processes[pid] = _Process(stat.parent, stat.start)
            added += found
        return added


def read_stat(pid: int) -> Stat | None:
    """What /proc says of a process, zombies included; None where there is no such process."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            text = os.read(file, 4096)
        finally:
            os.close(file)
    except OSError:
        return None
    # The second field is the name in parentheses, which may hold spaces and parentheses itself.
    fields = text[text.rindex(b")") + 2 :].split()
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    user, system, children_user, children_system = (int(field) / ticks_per_s for field in fields[11:15])
    try:
        # The kernel's clock of another process, as by clock_getcpuclockid(3): nanoseconds, not ticks.
        own_s = time.clock_gettime(~pid << 3 | 2)
    except OSError:
        own_s = user + system
    return Stat(int(fields[1]), int(fields[19]), own_s, children_user + children_system)


def _own_stat(less_s: float) -> Stat:
    """This process, ``less_s`` of its CPU time left out."""
    times = os.times()
    waited_s = times.children_user + times.children_system
    return Stat(parent=0, start=0, own_s=time.process_time() - less_s, waited_s=waited_s)


def _proc_is_ours() -> bool:
    """Whether /proc is there and shows the processes by the ids that this process sees."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False
