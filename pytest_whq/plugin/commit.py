"""The commit that is checked out where the tests run."""

import subprocess
from pathlib import Path

from pytest_whq.model import Commit


def current_commit(folder: Path) -> Commit | None:
    """The commit of ``folder``'s working tree; None outside git or without it."""
    if (id_ := _git(folder, "rev-parse", "HEAD")) is None:
        return None
    branch = _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Commit(id_, branch, dirty=bool(changes))


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
