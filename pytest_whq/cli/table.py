"""``whq table``: a run as the table of workloads, and what ``whq import`` shares of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli.console import formats_help, hand_over, load, say

if TYPE_CHECKING:
    from pytest_whq.model import Run
    from pytest_whq.rendering.workloads import Selection

FORMATS = ("terminal", "markdown", "csv", "json", "html")


def table_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq table`` takes."""
    parser.add_argument(
        "file", metavar="RUN", nargs="?", type=Path, help="a run file; default: the last session"
    )
    add_table(parser)


def add_table(parser: argparse.ArgumentParser) -> None:
    """Let a command print the table of workloads."""
    shown = parser.add_argument_group("the table")
    shown.add_argument(
        "--format", metavar="FORMAT", choices=FORMATS, default=FORMATS[0], help=formats_help(FORMATS)
    )
    shown.add_argument("--sort", metavar="COLUMN", help="sort by it; --sort=-COLUMN from the largest down")
    shown.add_argument(
        "--where",
        metavar="COLUMN=GLOB",
        action="append",
        default=[],
        help="only rows such as model=*R1* (repeatable)",
    )
    shown.add_argument(
        "--columns", metavar="LIST", help="which columns; of power --requests also such as start=COLUMN"
    )


def table(options: argparse.Namespace) -> int:
    """Show a run as the table of workloads."""
    selection = selection_of(options, options.columns)
    print_table(load(options.file), selection, options)
    return 0


def selection_of(options: argparse.Namespace, columns: str | None) -> "Selection":
    """Which rows and ``columns`` are asked for; SettingError where one is not there."""
    from pytest_whq.rendering.workloads import Selection

    return Selection.of(columns, options.where, options.sort)


def print_table(run: "Run", selection: "Selection", options: argparse.Namespace) -> None:
    """Print the table of ``run`` in the format of ``options``."""
    from pytest_whq.rendering.workloads import workload_table

    shown = workload_table(run, selection, options.format)
    if options.format == "terminal":
        say(shown.removesuffix("\n"))
    else:
        hand_over(shown)
