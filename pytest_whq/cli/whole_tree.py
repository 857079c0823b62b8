"""What a worktree lacks where git checks out a commit: the files of submodules and of Git LFS."""

from collections.abc import Iterator
from pathlib import Path

from pytest_whq.errors import WhqError
from pytest_whq.git import WORK_S, git

_GITLINK = "160000"
_POINTER = b"version https://git-lfs.github.com/spec/"


def bring_submodules(head: Path, base: Path) -> None:
    """Check out in ``base`` each submodule that ``head`` has, at the commit that ``base`` names.

    Nothing is fetched: WhqError where ``head``'s submodule does not know that commit.
    """
    for name, commit in _submodules(base):
        ours, theirs = head / name, base / name
        if not (ours / ".git").exists():
            continue  # The head does without it, too.
        git(base, "clone", "--quiet", "--shared", "--no-checkout", "--", str(ours), name, limit_s=WORK_S)
        try:
            git(theirs, "checkout", "--quiet", "--detach", commit, limit_s=WORK_S)
        except WhqError as error:
            raise WhqError(
                f"The base has the submodule {name} at {commit[:10]}, which is not to be had here ({error}). "
                f"Fetch it: git -C {name} fetch origin {commit}"
            ) from error
        bring_submodules(ours, theirs)


def _submodules(root: Path) -> Iterator[tuple[str, str]]:
    """Path and commit of each submodule of the tree at ``root``."""
    for entry in filter(None, git(root, "ls-files", "-z", "--stage").split("\0")):
        about, _, name = entry.partition("\t")
        mode, commit, _ = about.split(" ")
        if mode == _GITLINK:
            yield name, commit


def refuse_pointers(head: Path, base: Path) -> None:
    """WhqError where ``base`` has a pointer of Git LFS for a file that ``head`` has itself."""
    for name in filter(None, git(base, "ls-files", "-z", "--", ":(attr:filter=lfs)").split("\0")):
        if _is_pointer(base / name) and not _is_pointer(head / name) and (head / name).is_file():
            raise WhqError(
                f"{name} of the base is a pointer of Git LFS, where the working tree has the file itself. "
                "Let git fill it in: git lfs install, and git lfs fetch of the base."
            )


def _is_pointer(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER
