"""``whq ab``: base against head, measured in turns in one job on one machine.

The same code differs by some tenths of a percent within a job and by far more between jobs, so two
sides measured in turns are told apart where a stored baseline could not. The order base, head, head,
base lets a steady drift, as of a GPU that warms, fall on both sides alike.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pytest_whq.cli.console import complain
from pytest_whq.errors import SettingError, WhqError

if TYPE_CHECKING:
    from pytest_whq.model import Run

_USABLE = (0, 1)
"""Exit codes of pytest after which there are records: all passed, some failed."""


def ab_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's own arguments; pytest's come after ``--``."""
    parser.usage = "whq ab [-h] [-v] [options] BASE_REF -- PYTEST_ARGS"
    parser.add_argument("base", metavar="BASE_REF", help="the commit to compare the working tree with")
    parser.add_argument("--pairs", metavar="N", type=_pairs, default=3, help="runs of each side (default: 3)")
    parser.add_argument(
        "--own-tests", action="store_true", help="each side's own tests, not the head's for both"
    )
    parser.add_argument(
        "--install",
        metavar="COMMAND",
        help="run in a side's root before its runs, where the sides' dependencies differ",
    )
    parser.add_argument("--runs", metavar="FOLDER", type=Path, help="keep the run file of every run here")


def _pairs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


class _Side(NamedTuple):
    """One of the two trees: what runs in it, and in which folder."""

    name: str
    root: Path
    folder: Path


def measure_in_turns(options: argparse.Namespace) -> "tuple[list[Run], list[Run]]":
    """The runs of the base and of the head, in the order of their times."""
    from pytest_whq.cli.worktree import bring_tests, checked_out
    from pytest_whq.git import git

    here = Path.cwd().resolve()
    root = Path(git(here, "rev-parse", "--show-toplevel").strip()).resolve()
    try:
        commit = git(root, "rev-parse", "--verify", f"{options.base}^{{commit}}").strip()
    except WhqError:
        raise SettingError(f"{options.base} is no commit of this repository.") from None
    if options.runs is not None:
        options.runs.mkdir(parents=True, exist_ok=True)
    with checked_out(root, commit) as base_root, tempfile.TemporaryDirectory(prefix="whq-ab-runs-") as kept:
        arguments, paths = _for_both_sides(options.after_dashes, here, root)
        if not options.own_tests:
            bring_tests(root, base_root, paths)
        head = _Side("head", root, here)
        base = _Side("base", base_root, base_root / here.relative_to(root))
        base.folder.mkdir(parents=True, exist_ok=True)
        return _runs(base, head, arguments, options, options.runs or Path(kept))


def _runs(
    base: _Side, head: _Side, arguments: Sequence[str], options: argparse.Namespace, kept: Path
) -> "tuple[list[Run], list[Run]]":
    from pytest_whq.cli.worktree import same_dependencies

    install = options.install
    if install is not None and same_dependencies(head.root, base.root):
        install = None
    runs: dict[str, list[Run]] = {"base": [], "head": []}
    try:
        for side in _turns(base, head, options.pairs):
            if install is not None:
                _install(install, side)
            number = len(runs[side.name]) + 1
            complain(f"{side.name}, run {number} of {options.pairs}")
            runs[side.name].append(_run(side, arguments, kept / f"{side.name}-{number}.json"))
    finally:
        if install is not None:
            # The environment is the user's: it is left as their working tree wants it.
            _install(install, head)
    return runs["base"], runs["head"]


def _turns(base: _Side, head: _Side, pairs: int) -> Iterator[_Side]:
    for pair in range(pairs):
        yield from (base, head) if pair % 2 == 0 else (head, base)


def _install(command: str, side: _Side) -> None:
    done = subprocess.run(
        command, shell=True, cwd=side.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        _show_end(done.stdout)
        raise WhqError(
            f"--install ended with exit code {done.returncode} for the {side.name}, as shown above."
        )


def _run(side: _Side, arguments: Sequence[str], path: Path) -> "Run":
    from pytest_whq.cli.worktree import environment_for
    from pytest_whq.storing.runfile import read_run

    path = path.resolve()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, "--whq-json", str(path)]
    done = subprocess.run(
        command,
        cwd=side.folder,
        env=environment_for(side.root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode not in _USABLE:
        _show_end(done.stdout)
        raise WhqError(f"pytest ended with exit code {done.returncode} on the {side.name}, as shown above.")
    run = read_run(path)
    if not run.records:
        _show_end(done.stdout)
        raise WhqError(f"The {side.name} measured nothing: no test that ran has the whq fixture.")
    return run


def _show_end(output: bytes) -> None:
    from pytest_whq.rendering.words import one_line

    for line in output.decode(errors="replace").splitlines()[-30:]:
        print(one_line(line), file=sys.stderr)


def _for_both_sides(
    arguments: Sequence[str], here: Path, root: Path
) -> tuple[list[str], list[PurePosixPath]]:
    """The arguments with paths that hold on both sides, and the paths of tests relative to the root."""
    rewritten, paths = [], []
    for argument in arguments:
        name, separator, test = argument.partition("::")
        path = (here / name).resolve()
        if argument.startswith("-") or not name or not path.exists():
            rewritten.append(argument)
            continue
        if not path.is_relative_to(root):
            raise SettingError(f"{name} is not in the repository at {root}, so the base has no such test.")
        paths.append(PurePosixPath(path.relative_to(root).as_posix()))
        # Relative to the folder that pytest runs in, which lies at the same place on both sides.
        rewritten.append(f"{os.path.relpath(path, here)}{separator}{test}")
    return rewritten, paths
