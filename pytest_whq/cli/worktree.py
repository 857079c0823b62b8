"""A commit checked out beside the user's own working tree, which is only ever read."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from types import FrameType

from pytest_whq.cli.own_code import import_roots
from pytest_whq.cli.whole_tree import bring_submodules, refuse_pointers
from pytest_whq.git import WORK_S, git

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
    """The root of a worktree at ``commit``, in a temporary folder; gone afterwards, however it ends.

    WhqError where the tree would not be what the commit means.
    """
    with _ended_as_by_ctrl_c():
        # Resolved, so that a root told by git is the same path.
        folder = Path(tempfile.mkdtemp(prefix="whq-ab-")).resolve()
        base = folder / "base"
        try:
            add = ("worktree", "add", "--quiet", "--detach", str(base), commit)
            git(repository, *add, limit_s=WORK_S)
            bring_submodules(repository, base)
            refuse_pointers(repository, base)
            yield base
        finally:
            _remove(repository, folder)


def _remove(repository: Path, folder: Path) -> None:
    # A second Ctrl-C must not leave half of it behind.
    with _handled(signal.SIG_IGN, (signal.SIGINT, *_ENDING)):
        shutil.rmtree(folder, ignore_errors=True)
        git(repository, "worktree", "prune")


_ENDING = tuple(one for one in signal.Signals if one.name in ("SIGTERM", "SIGHUP"))
"""By which CI systems cancel a job, and a terminal that closes ends what ran in it."""


def _ended_as_by_ctrl_c() -> AbstractContextManager[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # What is ignored, as by nohup, stays so.
    return _handled(interrupt, [one for one in _ENDING if signal.getsignal(one) != signal.SIG_IGN])


@contextmanager
def _handled(
    handler: "Callable[[int, FrameType | None], None] | signal.Handlers", signals: Sequence[signal.Signals]
) -> Iterator[None]:
    before = [(number, signal.signal(number, handler)) for number in signals]
    try:
        yield
    finally:
        for number, earlier in before:
            signal.signal(number, earlier)


def bring_tests(head: Path, base: Path, paths: Sequence[PurePosixPath]) -> None:
    """Copy the test files of ``head``'s working tree over those of ``base``.

    They are what lies in the folders of ``paths`` (relative to the roots), or, where there are none,
    in folders named tests and in files named like tests; ``conftest.py`` always. A link is copied as
    a link, and what stands in the way in ``base``, links above all, goes: nothing is written outside it.
    """
    folders = [path if (head / path).is_dir() else path.parent for path in paths]
    for name in _files(head):
        path = PurePosixPath(name)
        if _is_test(path, paths, folders) and (head / path).is_file():
            make_way(base, path)
            shutil.copy2(head / path, base / path, follow_symlinks=False)


def make_way(base: Path, path: PurePosixPath) -> None:
    """Let ``base`` have the folders of ``path``, none of them a link, and nothing at ``path`` itself."""
    for folder in reversed(path.parents[:-1]):
        make_folder(base / folder)
    target = base / path
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Let ``folder`` be one, and no link to one; those above it are."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        folder.mkdir()


def _files(root: Path) -> list[str]:
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return listed.rstrip("\0").split("\0") if listed else []


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
    return {
        name: _content(root / name)
        for name in _files(root)
        if any(PurePosixPath(name).match(pattern) for pattern in _DEPENDENCY_FILES)
        and (root / name).is_file()
    }


def _content(path: Path) -> bytes:
    # A link may lead anywhere: where to is what the tree says.
    return os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()


def environment_for(root: Path) -> dict[str, str]:
    """The environment in which Python imports the code of ``root``, also where another is installed."""
    before = os.environ.get("PYTHONPATH")
    paths = [*map(str, import_roots(root)), *([before] if before else [])]
    # The comparison is what a job of GitHub shows, and not each run that it is made of.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    # Nothing is written beside the user's files, not even caches.
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
