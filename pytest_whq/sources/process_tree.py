"""CPU time of this process and of what it started, as /proc tells it."""

import math
import os
import time
from dataclasses import dataclass
from typing import NamedTuple

from pytest_whq.real_time import now_s

_SEARCH_SHARE = 0.02
"""Of one core, what looking for new processes may take: about 1 µs for each one of the machine."""


_WORTH_A_WORD_S = 0.001
"""CPU time: a process that waits for something to do uses less for long."""


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
    appear in ``waited_s`` and must not count a second time. ``origin`` is the process that it descends from.
    """

    parent: int
    start: int
    origin: int
    own_s: float = 0.0
    waited_s: float = 0.0
    credit_s: float = 0.0


class ProcessTree:
    """CPU time of this process and its descendants, living or not, as far as it can be seen.

    What is adopted counts with its descendants from then on.
    """

    def __init__(self) -> None:
        self._root = os.getpid()
        # Every process stands after its parent, and a reused pid anew at the end.
        self._processes = {self._root: _Process(parent=0, start=0, origin=self._root)}
        self._listed: set[tuple[str, int]] = set()
        self.sees_others = _proc_is_ours()
        self._next_search_s = 0.0 if self.sees_others else math.inf
        self._total_s = 0.0
        self._reading_s = 0.0
        self._used_s: dict[int, float] = {}
        self._last_used_s: dict[int, float] = {}

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

    def __contains__(self, pid: int) -> bool:
        """Whether a process counts."""
        return pid in self._processes

    def leave_out(self, seconds: float) -> None:
        """So much CPU time of this process is the measurement's own."""
        self._reading_s += seconds

    def adopt(self, pid: int) -> bool:
        """Count a process that this one did not start; False where it may not be read."""
        if (stat := read_stat(pid)) is None:
            return False
        self._processes[pid] = _Process(stat.parent, stat.start, pid)
        self._listed, self._next_search_s = set(), 0.0
        # What it and its descendants have used until now was used for others.
        for found in [pid, *self._find_new()]:
            process = self._processes[found]
            if process.origin == pid and (stat := read_stat(found)):
                process.own_s, process.waited_s = stat.own_s, stat.waited_s
        return True

    def last_used_s(self, pid: int) -> float:
        """When a process that was adopted, or what it started, has last used time that is worth a word."""
        return self._last_used_s.get(pid, -math.inf)

    def _note_use(self, origin: int, seconds: float) -> None:
        self._used_s[origin] = self._used_s.get(origin, 0.0) + seconds
        if self._used_s[origin] >= _WORTH_A_WORD_S:
            self._used_s[origin], self._last_used_s[origin] = 0.0, now_s()

    def _count(self, process: _Process, stat: Stat) -> None:
        waited_s = max(0.0, stat.waited_s - process.waited_s)
        counted_before_s = min(waited_s, process.credit_s)
        process.credit_s -= counted_before_s
        used_s = max(0.0, stat.own_s - process.own_s) + waited_s - counted_before_s
        self._total_s += used_s
        if process.origin != self._root:
            self._note_use(process.origin, used_s)
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
                origin = self._processes[stat.parent].origin
                self._processes[pid] = _Process(stat.parent, stat.start, origin)
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
