"""Locks on open files, where the system has those of Unix."""

from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None

HAS_LOCKS = fcntl is not None


def lock(descriptor: int, *, wait: bool) -> None:
    """Hold the lock of an open file or folder until it is closed; OSError where it cannot be had.

    Without ``wait``, that is also where another holds it. Where the system has no such locks, none is held.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
