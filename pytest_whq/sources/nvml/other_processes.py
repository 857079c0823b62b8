"""Which of the processes on a GPU are not ours."""

import os
from collections.abc import Sequence

from pytest_whq.sources.process_tree import read_stat

_FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""Inode number of the pid namespace that a Linux machine starts with, fixed in the kernel."""


def other_processes(pids: Sequence[int]) -> int | None:
    """How many of ``pids``, as NVML lists them, are neither this process nor descend from it.

    None where that is not known: NVML gives the machine's own process ids, and in a container,
    which has ids of its own, nothing tells which of them are ours.
    """
    ours = [pid for pid in pids if _is_ours(pid)]
    if pids and not ours and not _sees_the_machines_pids():
        return None
    return len(pids) - len(ours)


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        stat = read_stat(pid)
        pid = 0 if stat is None else stat.parent
    return False


def _sees_the_machines_pids() -> bool:
    try:
        return os.stat("/proc/self/ns/pid").st_ino == _FIRST_PID_NAMESPACE
    except OSError:
        return False
