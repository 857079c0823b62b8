"""Makes this Linux look, to what is imported later, like a system that has none of its own things.

``python -c "import elsewhere; elsewhere.main()" ARGUMENTS`` runs pytest so: without fcntl, /proc, abstract
sockets, numbers of users, flags of Unix and the hooks of fork. What other packages need is loaded before.
"""

import asyncio
import builtins
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
from typing import Any

import pytest
import trio

LOADED = (asyncio, multiprocessing, subprocess, tempfile, trio)
GONE = {
    os: (
        *("geteuid", "fchmod", "register_at_fork", "sysconf"),
        *("O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW"),
    ),
    socket: ("AF_UNIX",),
}


def main() -> None:
    """Take away, and run pytest in what is left."""
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    for module, names in GONE.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    builtins.open = _without_proc(builtins.open)
    os.readlink = _without_proc(os.readlink)
    sys.exit(pytest.main(sys.argv[1:]))


def _without_proc(whole: Any) -> Any:
    def without(file: Any, *arguments: Any, **named: Any) -> Any:
        if str(file).startswith("/proc"):
            raise FileNotFoundError(file)
        return whole(file, *arguments, **named)

    return without
