"""One measurement on a device at a time, among all processes of this machine.

What another process draws from a device while a window is open would be taken for the window's own.
A claim is a lock on a file for each device. POSIX record locks die with their process and are not
inherited by what it starts, so nothing is ever left locked.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_whq.measuring.clock import pause
from pytest_whq.model import Device

_RETRY_S = 0.02


class Claim:
    """The right to measure ``devices``, for one process at a time.

    Within a process it is shared: it is held from the first that acquires to the last that releases.
    ``waiting`` hears a sentence when somebody else holds it, and an empty one when it was got.
    """

    def __init__(
        self, devices: Sequence[Device], waiting: Callable[[str], None], folder: Path | None = None
    ) -> None:
        # Always in the same order, so that no two processes wait for each other.
        self._devices = sorted(devices, key=lambda device: device.id)
        self._waiting = waiting
        self._folder = folder or Path(tempfile.gettempdir()) / "pytest-whq-locks"
        self._holders = 0
        self._locked: list[int] = []
        self._changing = threading.Lock()

    async def acquire(self) -> None:
        """Take every device in turn, waiting as long as another process measures on it."""
        # Who takes them may have to wait, and whoever else wants them here then waits, too.
        while not self._changing.acquire(blocking=False):
            await pause(_RETRY_S)
        try:
            if self._holders == 0:
                for device in self._devices:
                    await self._lock_out_others(device)
            self._holders += 1
        except BaseException:
            self._unlock()
            raise
        finally:
            self._changing.release()

    def release(self) -> None:
        """Give the devices back; the last one that holds them does."""
        with self._changing:
            self._holders -= 1
            if self._holders == 0:
                self._unlock()

    def _unlock(self) -> None:
        for descriptor in self._locked:
            os.close(descriptor)
        self._locked.clear()

    async def _lock_out_others(self, device: Device) -> None:
        descriptor = _open(self._folder, device.id)
        if descriptor is None:
            return
        self._locked.append(descriptor)
        waited = False
        while not _lock(descriptor):
            if not waited:
                waited = True
                self._waiting(f"waiting for {device.name}: {_holder(descriptor)} measures on it")
            await pause(_RETRY_S)
        if waited:
            self._waiting("")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _open(folder: Path, device_id: str) -> int | None:
    """The lock file of a device, made for all users; None where the temp folder does not allow it."""
    # The digest, because an id may hold anything and be of any length.
    path = folder / f"{hashlib.sha256(device_id.encode()).hexdigest()[:32]}.lock"
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        return os.open(path, flags)
    # Only now to be made: in a folder open to all, Linux refuses O_CREAT on another user's file.
    try:
        descriptor = os.open(path, flags | os.O_CREAT, 0o666)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, 0o666)
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 20, 0).strip()
    return f"process {text.decode()}" if text.isdigit() else "another process"
