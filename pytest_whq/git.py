"""What git says of a folder, and what it does there: within a time, and with names of any bytes."""

import os
import subprocess
from pathlib import Path

from pytest_whq.errors import WhqError
from pytest_whq.model import Commit

_ANSWER_S = 10.0
"""How long a question may take before git counts as one that hangs."""

WORK_S = 1800.0
"""How long git may take to write a whole tree, its filters included."""


def current_commit(folder: Path) -> Commit | None:
    """The commit of ``folder``'s working tree; None outside git, or where git does not tell all of it."""
    try:
        id_ = git(folder, "rev-parse", "HEAD").strip()
        changes = git(folder, "status", "--porcelain", "--untracked-files=no")
        return Commit(id_, _branch(folder), dirty=bool(changes))
    except WhqError:
        return None


def _branch(folder: Path) -> str | None:
    done = _run(folder, ("symbolic-ref", "--short", "--quiet", "HEAD"))
    # git ends with 1 where HEAD is detached.
    return None if done.returncode else os.fsdecode(done.stdout).rstrip("\n")


def git(folder: Path, *arguments: str, limit_s: float | None = None) -> str:
    """What git answers in ``folder``; WhqError with its own words where it refuses, is missing or hangs.

    It hangs after ``limit_s``, else after some seconds. What is not UTF-8 in its answer, as a file's name
    may be, is kept as Python keeps the names of files.
    """
    done = _run(folder, arguments, limit_s)
    if done.returncode:
        complaint = os.fsdecode(done.stderr).strip().splitlines()
        raise WhqError(f"git {arguments[0]} failed: {complaint[-1] if complaint else 'no reason given'}")
    return os.fsdecode(done.stdout)


def _run(
    folder: Path, arguments: tuple[str, ...], limit_s: float | None = None
) -> "subprocess.CompletedProcess[bytes]":
    limit_s = _ANSWER_S if limit_s is None else limit_s
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            # Who is asked for a password by a filter or a hook would wait for it for ever.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise WhqError(
            f"git {arguments[0]} has not answered in {limit_s:.0f} s: see what holds it."
        ) from None
    except OSError as error:
        raise WhqError(
            f"git cannot be run ({error.strerror}): install it, or see to its permissions."
        ) from error
