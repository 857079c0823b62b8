"""Where the reports of a run go: to files, and to what GitHub shows beside a job."""

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_whq.errors import RunFileError, described
from pytest_whq.model import Run
from pytest_whq.rendering import RENDERERS, github
from pytest_whq.storing.files import make_folder_of, write_text
from pytest_whq.storing.runfile import write_run


def write_report(run: Run, name: str, path: Path, group_by: str | None = None) -> None:
    """Write what the renderer ``name`` makes of ``run``, and make its folder where that is missing.

    ``group_by`` is as of `pytest_whq.rendering.grouping`. RunFileError where that cannot be done.
    """
    make_folder_of(path)
    if name == "json":
        write_run(run, path)
        return
    try:
        text = RENDERERS[name](run, group_by)
    except Exception as error:  # One report that fails must not cost the others.
        why = f"the {name} report failed ({described(error)})"
        raise RunFileError(f"{path} is not written: {why}.") from error
    write_text(path, text)


def github_lines(run: Run, rootpath: Path, *, enforced: bool) -> Iterator[str]:
    """The commands that mark what fails, where this is a job of GitHub."""
    if _on_github():
        level = "error" if enforced else "warning"
        yield from github.render(run, level=level, folder=_folder(rootpath)).splitlines()


def add_step_summary(run: Run, group_by: str | None = None) -> str | None:
    """Add the Markdown report to the summary of a job of GitHub; a sentence where that failed."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not _on_github() or not path:
        return None
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(RENDERERS["markdown"](run, group_by))
    except OSError as error:
        return f"The job's summary cannot be written ({error.strerror})."
    return None


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _folder(rootpath: Path) -> str:
    """The way from the repository's root to that of the node ids."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace:
        return ""
    try:
        folder = rootpath.resolve().relative_to(Path(workspace).resolve())
    except ValueError:
        return ""
    return "" if folder == Path() else folder.as_posix()
