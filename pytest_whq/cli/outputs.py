"""Where a command that judges runs puts its report: files that are named, and GitHub where it runs there."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli.console import complain, say
from pytest_whq.rendering import RENDERERS

if TYPE_CHECKING:
    from pytest_whq.model import Run


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Let a command write its report in each format, to a file of its own."""
    for name, renderer in RENDERERS.items():
        parser.add_argument(f"--{name}", metavar="PATH", type=Path, help=f"write {renderer.what}")


def write_reports(run: "Run", options: argparse.Namespace, tell: Callable[[str], None] = say) -> None:
    """Write the reports that are asked for, and on GitHub the job's summary and the annotations.

    ``tell`` hears what is written.
    """
    from pytest_whq.reports import add_step_summary, github_lines, write_report

    for name in RENDERERS:
        if (path := getattr(options, name)) is not None:
            write_report(run, name, path)
            tell(f"Written: {path}")
    if problem := add_step_summary(run):
        complain(problem)
    for command in github_lines(run, Path.cwd(), enforced=True):
        # As it is: what `say` shows is no command any more.
        print(command)
