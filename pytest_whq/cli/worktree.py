"""A commit checked out beside the user's own working tree, which is only ever read."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import FrameType

from pytest_whq.cli.own_code import import_roots
from pytest_whq.git import git

_DEPENDENCY_FILES = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements*.txt",
    "*.lock",
)
"""What says what an environment must hold, by the last part of the path."""

_TEST_FILES = ("test_*.py", "*_test.py")
_TEST_FOLDERS = frozenset({"test", "tests"})


@contextmanager
def checked_out(repository: Path, commit: str) -> Iterator[Path]:
    """The root of a worktree at ``commit``, in a temporary folder; gone afterwards, however it ends."""
    # Resolved, so that a root told by git is the same path.
    folder = Path(tempfile.mkdtemp(prefix="whq-ab-")).resolve()
    try:
        with _termination_as_interrupt():
            git(repository, "worktree", "add", "--quiet", "--detach", str(folder / "base"), commit)
            yield folder / "base"
    finally:
        _remove(repository, folder)


def _remove(repository: Path, folder: Path) -> None:
    # A second Ctrl-C must not leave half of it behind.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        git(repository, "worktree", "prune")
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, by which CI systems cancel a job, end the block as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def bring_tests(head: Path, base: Path, paths: Sequence[PurePosixPath]) -> None:
    """Copy the test files of ``head``'s working tree over those of ``base``.

    They are what lies in the folders of ``paths`` (relative to the roots), or, where there are none,
    in folders named tests and in files named like tests; ``conftest.py`` always.
    """
    listed = git(head, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    folders = [path if (head / path).is_dir() else path.parent for path in paths]
    for name in filter(None, listed.split("\0")):
        path = PurePosixPath(name)
        if _is_test(path, paths, folders) and (head / path).is_file():
            target = base / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(head / path, target)


def _is_test(path: PurePosixPath, given: Sequence[PurePosixPath], folders: Sequence[PurePosixPath]) -> bool:
    if path.name == "conftest.py" or path in given:
        return True
    if given:
        # The root is no folder of tests: it holds what is tested.
        return any(folder.parts and path.is_relative_to(folder) for folder in folders)
    named = any(path.match(pattern) for pattern in _TEST_FILES)
    return named or not _TEST_FOLDERS.isdisjoint(path.parts[:-1])


def same_dependencies(head: Path, base: Path) -> bool:
    """Whether both trees ask for the same environment, as far as the files that say so tell."""
    return _dependencies(head) == _dependencies(base)


def _dependencies(root: Path) -> dict[str, bytes]:
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {
        name: (root / name).read_bytes()
        for name in listed
        if any(PurePosixPath(name).match(pattern) for pattern in _DEPENDENCY_FILES)
        and (root / name).is_file()
    }


def environment_for(root: Path) -> dict[str, str]:
    """The environment in which Python imports the code of ``root``, also where another is installed."""
    before = os.environ.get("PYTHONPATH")
    paths = [*map(str, import_roots(root)), *([before] if before else [])]
    # Nothing is written beside the user's files, not even caches.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
