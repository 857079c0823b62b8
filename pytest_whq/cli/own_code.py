"""Whether a side of ``whq ab`` ran its own code: an installed copy measures one side twice."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pytest_whq.git import git


def import_roots(root: Path) -> list[Path]:
    """The folders of a tree from which its packages are imported: ``src``, the root, and where others lie."""
    return list(dict.fromkeys([root / "src", root, *(root / folder for folder in _packages(root).values())]))


def foreign_module(root: Path, imported: Path) -> str | None:
    """A module of the tree ``root`` that was imported from elsewhere, and from where; None if there is none.

    ``imported`` is the folder in which the run said what it had imported.
    """
    packages = _packages(root)
    for file in sorted(imported.glob("*.json")):
        for name, path in json.loads(file.read_text("utf-8")).items():
            if name in packages and not Path(path).resolve().is_relative_to(root):
                return f"{name} from {path}"
    return None


def _packages(root: Path) -> dict[str, PurePosixPath]:
    """The top-level packages that git tracks in ``root``, each with the folder it lies in."""
    tracked = {PurePosixPath(name) for name in git(root, "ls-files", "-z").split("\0") if name}
    folders = {path.parent for path in tracked if path.name == "__init__.py"} - {PurePosixPath()}
    return {folder.name: folder.parent for folder in _topmost(folders)}


def _topmost(folders: set[PurePosixPath]) -> Iterator[PurePosixPath]:
    yield from (folder for folder in folders if folder.parent not in folders)
