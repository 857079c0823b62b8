"""The devices that this process holds, by names that no two processes have at once."""

import errno
import hashlib
import os
import platform
import socket
import struct
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from pytest_whq.real_time import now_s

_LONGEST_COMMAND = 60
_ASKED_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a device; ``pid`` is None where the kernel does not tell.

    ``is_ancestor`` where this process was forked from it, and it may wait for this one's end.
    """

    pid: int | None
    is_ancestor: bool = False

    @property
    def measures(self) -> str:
        """That it measures on the device, as a sentence without an end."""
        if self.pid is None:
            return "another process measures on it"
        command = _command(self.pid)
        return f"process {self.pid} measures on it{f' ({command})' if command else ''}"


class HeldDevices:
    """Those of this process, each held from the first of its sessions that takes it to the last."""

    def __init__(self, ancestors: frozenset[int] = frozenset()) -> None:
        self._pid = os.getpid()
        self._ancestors = ancestors
        self._sockets: dict[str, socket.socket] = {}
        self._users: Counter[str] = Counter()
        self._asked: dict[str, tuple[float, Holder]] = {}
        self._changing = threading.Lock()

    def take(self, device_id: str) -> bool:
        """Take the device, if this process or nobody holds it; OSError where there are no such names here."""
        with self._changing:
            if device_id not in self._sockets:
                bound = _bind(device_id)
                if bound is None:
                    return False
                self._sockets[device_id] = bound
                self._asked.pop(device_id, None)
            self._users[device_id] += 1
            return True

    def give_back(self, device_id: str) -> None:
        """One of this process needs the device no more."""
        with self._changing:
            self._users[device_id] -= 1
            # None are there of before a fork.
            if self._users[device_id] <= 0 and (bound := self._sockets.pop(device_id, None)) is not None:
                bound.close()

    def holder(self, device_id: str) -> Holder:
        """Who holds the device, as far as the kernel tells; asked now and then."""
        asked_s, known = self._asked.get(device_id, (-_ASKED_EVERY_S, Holder(None)))
        if now_s() - asked_s >= _ASKED_EVERY_S or known.pid is None:
            pid = _peer(device_id)
            known = Holder(pid, pid in self._ancestors)
            self._asked[device_id] = now_s(), known
        return known

    def forget(self) -> None:
        """In a child that was forked: what its parent holds is not the child's, to keep or to give back."""
        for bound in self._sockets.values():
            bound.close()
        HeldDevices.__init__(self, self._ancestors | {self._pid})


HELD = HeldDevices()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HELD.forget)

_LINUX = sys.platform == "linux" and hasattr(socket, "AF_UNIX")


def _address(device_id: str) -> bytes:
    # The digest, because an id may hold anything and be of any length.
    return (
        b"\0pytest-whq/"
        + hashlib.sha256(device_id.encode("utf-8", "surrogatepass")).hexdigest()[:32].encode()
    )


def _bind(device_id: str) -> socket.socket | None:
    """A socket that holds the device's name, None where another has it; OSError where none can be had."""
    if not _LINUX:
        raise OSError(errno.ENOTSUP, f"{platform.system()} has no names by which processes take turns")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(_address(device_id))
        # Nobody is answered: who connects learns who listens, and that is all.
        bound.listen(4096)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return bound


def _peer(device_id: str) -> int | None:
    """The process that holds the device's name, None where it is in another container or already gone."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        asking.connect(_address(device_id))
        pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return pid or None
    return None


def _command(pid: int) -> str:
    """The command line of a process as one line, cut where it is long; empty where it is not to be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = file.read(4 * _LONGEST_COMMAND).decode("utf-8", "replace").replace("\0", " ").strip()
    except OSError:
        return ""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _LONGEST_COMMAND else f"{shown[:_LONGEST_COMMAND]}..."
