"""The connections of this process to others of its machine, by its open sockets. Linux only."""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_CREDENTIALS = struct.Struct("=iII")
"""The struct ucred of unix(7): process, user, group."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected socket, ``link`` as /proc names it.

    ``address`` is what it is connected to, as users write it; None where that is another machine, whose
    processes are not on this one. ``pid`` is the process at the other end of a unix socket, ``ends`` are our
    and the other end of one of TCP, as /proc/net/tcp writes them.
    """

    link: str
    address: str | None
    pid: int | None = None
    ends: tuple[str, str] | None = None


def connections(known: frozenset[str]) -> Iterator[Connection | str]:
    """Those of this process; of the ``known``, by their links, the link alone."""
    for name in os.listdir("/proc/self/fd"):
        try:
            link = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # Closed meanwhile, as the folder that was listed.
            continue
        if link in known:
            yield link
        elif link.startswith("socket:") and (found := _looked_at(int(name), link)) is not None:
            yield found


def _looked_at(fd: int, link: str) -> Connection | None:
    other = _name(fd, "getpeername")
    if len(other) < 2:
        return None
    family = int.from_bytes(other[:2], "little" if _LITTLE else "big")
    if family == socket.AF_UNIX:
        return Connection(link, _path(other[2:]), _other_process(fd))
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    own, other = _host(family, _name(fd, "getsockname")), _host(family, other)
    if not _is_loopback(other) and own[2:] != other[2:]:
        return Connection(link, None)
    return Connection(link, _shown(other), ends=(_as_proc(own), _as_proc(other)))


_LITTLE = struct.pack("=H", 1) == struct.pack("<H", 1)


@cache
def _libc() -> Any:
    # Not the socket module: an object of it would set the mode of the socket that it is made for.
    return ctypes.CDLL(None)


def _name(fd: int, which: str) -> bytes:
    """What getpeername(2) or getsockname(2) tells; empty where nothing."""
    buffer, length = ctypes.create_string_buffer(128), ctypes.c_uint32(128)
    failed = getattr(_libc(), which)(fd, buffer, ctypes.byref(length))
    return b"" if failed else buffer.raw[: length.value]


def _other_process(fd: int) -> int | None:
    """The process that listened at the other end of a unix socket; None where it cannot be seen from here."""
    buffer, length = ctypes.create_string_buffer(_CREDENTIALS.size), ctypes.c_uint32(_CREDENTIALS.size)
    failed = _libc().getsockopt(fd, socket.SOL_SOCKET, socket.SO_PEERCRED, buffer, ctypes.byref(length))
    return None if failed else _CREDENTIALS.unpack(buffer.raw)[0] or None


def _path(name: bytes) -> str:
    """A unix socket's name: a path, or as ``ss`` shows it, ``@`` and what the kernel alone knows."""
    shown = name.removeprefix(b"\0").split(b"\0")[0].decode("utf-8", "backslashreplace")
    return f"@{shown}" if name.startswith(b"\0") else shown or "a socket without a name"


def _host(family: int, name: bytes) -> bytes:
    """Port and address of a socket's name, that of IPv4 also where it comes in the form of IPv6."""
    port, host = name[2:4], name[4:8] if family == socket.AF_INET else name[8:24]
    return port + (host[12:] if host.startswith(bytes(10) + b"\xff\xff") else host)


def _is_loopback(end: bytes) -> bool:
    host = end[2:]
    return host[0] == 127 if len(host) == 4 else host == bytes(15) + b"\x01"


def _shown(end: bytes) -> str:
    host = end[2:]
    family = socket.AF_INET if len(host) == 4 else socket.AF_INET6
    text = socket.inet_ntop(family, host)
    return f"{text if len(host) == 4 else f'[{text}]'}:{int.from_bytes(end[:2], 'big')}"


def _as_proc(end: bytes) -> str:
    """As /proc/net/tcp writes it: words of four bytes in the machine's own order."""
    words = [end[n : n + 4] for n in range(2, len(end), 4)]
    host = b"".join(word[::-1] if _LITTLE else word for word in words)
    return f"{host.hex().upper()}:{end[:2].hex().upper()}"
