"""``whq ab``: base against head, measured in turns in one job on one machine.

The same code differs by some tenths of a percent within a job and by far more between jobs, so two
sides measured in turns are told apart where a stored baseline could not. The order base, head, head,
base lets a steady drift, as of a GPU that warms, fall on both sides alike; a first run, in which caches fill,
does not count. What may have changed is measured twice more before it is said to have.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pytest_whq.cli.console import complain, show_log
from pytest_whq.errors import SettingError, WhqError
from pytest_whq.rendering import RENDERERS

if TYPE_CHECKING:
    from pytest_whq.model import Run

_AGAIN = 2
"""How often tests that may have changed are measured once more on each side before the verdict."""

_UNSET = (*(f"whq_{name}=" for name in RENDERERS), "whq_save=false")
_NO_REPORTS = [word for setting in _UNSET for word in ("-o", setting)]
"""Keep the runs from writing the reports, and to the history, that the project's settings name."""

_USABLE = (0, 1)
"""Exit codes of pytest after which there are records: all passed, some failed."""


def ab_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's own arguments; pytest's come after ``--``."""
    parser.usage = "whq ab [-h] [-v] [options] BASE_REF -- PYTEST_ARGS"
    parser.add_argument("base", metavar="BASE_REF", help="the commit to compare the working tree with")
    parser.add_argument(
        "--pairs", metavar="N", type=_pairs, default=4, help="runs of each side, an even number (default: 4)"
    )
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
    if number < 2 or number % 2:
        raise argparse.ArgumentTypeError(f"must be an even number, so that a drift cancels, not {text}")
    return number


class _Side(NamedTuple):
    """One of the two trees: what runs in it, and in which folder."""

    name: str
    root: Path
    folder: Path


def measure_in_turns(options: argparse.Namespace) -> "tuple[list[Run], list[Run]]":
    """The runs of the base and of the head, in the order of their times.

    ``options.suspects`` tells which tests may have changed, by the runs of both sides so far.
    """
    from pytest_whq.cli.worktree import bring_tests, checked_out, make_folder
    from pytest_whq.git import git

    here = Path.cwd().resolve()
    root = Path(git(here, "rev-parse", "--show-toplevel").removesuffix("\n"))
    if "\0" in str(root) or not here.is_relative_to(root := root.resolve()):
        raise SettingError(
            f"git says that this folder is in {root}, where it is not: see git and its settings."
        )
    try:
        commit = git(root, "rev-parse", "--verify", "--end-of-options", f"{options.base}^{{commit}}").strip()
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
        for folder in reversed((here / "_").relative_to(root).parents[:-1]):
            make_folder(base_root / folder)
        return _runs(base, head, arguments, options, options.runs or Path(kept))


def _runs(
    base: _Side, head: _Side, arguments: Sequence[str], options: argparse.Namespace, kept: Path
) -> "tuple[list[Run], list[Run]]":
    from pytest_whq.cli.worktree import same_dependencies

    install = options.install
    if install is not None and same_dependencies(head.root, base.root):
        install = None
    runs: dict[str, list[Run]] = {"base": [], "head": []}

    def measure(side: _Side, what: str, only: Sequence[str] | None = None) -> None:
        if install is not None:
            _install(install, side)
        complain(f"{side.name}, {what}")
        number = len(runs[side.name]) + 1
        runs[side.name].append(_run(side, arguments, kept / f"{side.name}-{number}.json", only))

    try:
        complain("base, a run to warm up, which does not count")
        with tempfile.TemporaryDirectory(prefix="whq-ab-warm-up-") as folder:
            if install is not None:
                _install(install, base)
            _run(base, arguments, Path(folder, "run.json"))
        for side in _turns(base, head, options.pairs):
            measure(side, f"run {len(runs[side.name]) + 1} of {options.pairs}")
        for number in range(1, _AGAIN + 1):
            suspects = options.suspects(runs["base"], runs["head"])
            for side in (base, head) if suspects else ():
                tests = "1 test" if len(suspects) == 1 else f"{len(suspects)} tests"
                measure(side, f"{tests} that may have changed once more ({number} of {_AGAIN})", suspects)
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


def _run(side: _Side, arguments: Sequence[str], path: Path, only: Sequence[str] | None = None) -> "Run":
    """What a run of ``side`` measures, of the tests ``only`` if they are given; its file is ``path``."""
    import json

    from pytest_whq.cli.inner_run import IMPORTED, ONLY
    from pytest_whq.cli.worktree import environment_for
    from pytest_whq.storing.runfile import read_run

    path = path.resolve()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pytest_whq.cli.inner_run"]
    with tempfile.TemporaryDirectory(prefix="whq-ab-imported-") as folder:
        environment = {**environment_for(side.root), IMPORTED: folder}
        if only is not None:
            environment[ONLY] = str(path.with_suffix(".only"))
            path.with_suffix(".only").write_text(json.dumps(list(only)), "utf-8")
        done = subprocess.run(
            [*command, *_NO_REPORTS, *arguments, "--whq-json", str(path)],
            cwd=side.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        path.with_suffix(".only").unlink(missing_ok=True)
        if done.returncode not in _USABLE:
            _show_end(done.stdout)
            raise WhqError(
                f"pytest ended with exit code {done.returncode} on the {side.name}, as shown above."
            )
        _check_own_code(side, Path(folder))
    run = read_run(path)
    if not run.records:
        _show_end(done.stdout)
        why = "its tests failed" if done.returncode else "no test that ran has the whq fixture"
        raise WhqError(f"The {side.name} measured nothing: {why}.")
    if done.returncode:
        complain(f"Tests failed on the {side.name}: what they did not measure there is not compared.")
    return run


def _check_own_code(side: _Side, imported: Path) -> None:
    from pytest_whq.cli.own_code import foreign_module

    if foreign := foreign_module(side.root, imported):
        raise WhqError(
            f"The {side.name} did not run its own code: it imported {foreign}. Uninstall that copy, or give "
            "--install with a command that installs a side's own, such as --install 'pip install -e .'."
        )


def _show_end(output: bytes) -> None:
    for line in output.decode(errors="replace").splitlines()[-30:]:
        show_log(line)


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
