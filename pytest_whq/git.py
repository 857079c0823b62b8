"""What git says of a folder. Read only: nothing here changes a repository."""

import subprocess
from pathlib import Path

from pytest_whq.errors import WhqError
from pytest_whq.model import Commit


def current_commit(folder: Path) -> Commit | None:
    """The commit of ``folder``'s working tree; None outside git or without it."""
    if (id_ := _git(folder, "rev-parse", "HEAD")) is None:
        return None
    branch = _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Commit(id_, branch, dirty=bool(changes))


def git(folder: Path, *arguments: str) -> str:
    """What git answers in ``folder``; WhqError with its own words where it refuses."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    except OSError as error:
        raise WhqError(f"git cannot be run ({error.strerror}): whq ab needs it.") from error
    if done.returncode:
        complaint = done.stderr.strip().splitlines()
        raise WhqError(f"git {arguments[0]} failed: {complaint[-1] if complaint else 'no reason given'}")
    return done.stdout


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
