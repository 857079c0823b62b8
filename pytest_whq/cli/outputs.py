"""Where a command that judges runs puts its report: what it prints, files that are named, and GitHub."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pytest_whq.cli.console import (
    add_file_to_write,
    arranged,
    as_terminal,
    complain,
    formats_help,
    hand_over,
    say,
)
from pytest_whq.errors import RunFileError, SettingError
from pytest_whq.rendering import EXPORTS, RENDERERS

if TYPE_CHECKING:
    from pytest_whq.model import Run
    from pytest_whq.rendering.arrangement import Arrangement

_PRINTED = RENDERERS | EXPORTS


def add_report(parser: argparse.ArgumentParser) -> None:
    """Let a command that judges print its report in each format, name it and write it to files."""
    add_format(parser)
    parser.add_argument("--name", metavar="NAME", help="what reports call it, where there are several")
    add_reports(parser)


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Let a command write its report to a file of each format."""
    for name, renderer in RENDERERS.items():
        add_file_to_write(parser, f"--{name}", what=f"write {renderer.what}; makes its folder")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Let a command print in each format."""
    formats = ("terminal", *_PRINTED)
    parser.add_argument(
        "--format", metavar="FORMAT", choices=formats, default=formats[0], help=formats_help(formats)
    )


def print_run(run: "Run", options: argparse.Namespace) -> bool:
    """Print ``run`` in the format that `add_format` has; whether that is for people."""
    group_by = _arranged(options).group_by
    if options.format == "terminal":
        say(as_terminal(run, options))
        return True
    document = _PRINTED[options.format](run, group_by)
    hand_over(document)
    if options.format in EXPORTS and document.strip() in ("[]", "{}"):
        complain(f"No test has a figure that stands: {options.format} gets none, which its tool may refuse.")
    return False


def _arranged(options: argparse.Namespace) -> "Arrangement":
    """How the report is arranged; SettingError where its format knows nothing of that."""
    found = arranged(options)
    given = {"--sort": options.sort, "--columns": options.columns}
    if options.format != "terminal":
        if not _PRINTED[options.format].groups:
            given["--group-by"] = options.group_by
        for name, value in given.items():
            if value is not None:
                raise SettingError(f"{name} does nothing in {options.format}: leave it or --format out.")
    return found


def check_report(options: argparse.Namespace) -> None:
    """Refuse what `report` cannot be told, for a command that has it only after hours; SettingError."""
    from pytest_whq.setting_values import run_name

    _arranged(options)
    if options.name is not None:
        run_name("--name", options.name)


def report(run: "Run", sentences: Sequence[str], options: argparse.Namespace) -> None:
    """Print the report and write those that are asked for; on GitHub the summary and annotations, too.

    In the terminal ``sentences`` follow it. What another program reads stands alone in standard output.
    """
    from dataclasses import replace

    from pytest_whq.setting_values import run_name

    if options.name is not None:
        run = replace(run, name=run_name("--name", options.name))
    for_people = print_run(run, options)
    for sentence in sentences if for_people else ():
        say(sentence)
    write_reports(run, options, say if for_people else complain, sys.stdout if for_people else sys.stderr)


def write_reports(
    run: "Run", options: argparse.Namespace, tell: Callable[[str], None], commands: TextIO
) -> None:
    """Write the reports that are asked for, and on GitHub the job's summary and the annotations.

    RunFileError, where one cannot be written, when all else has been.
    ``tell`` hears what is written; ``commands`` is the stream for GitHub's, which looks for them in both.
    """
    from pytest_whq.reports import add_step_summary, github_lines, write_report

    problems = []
    for name in RENDERERS:
        if (path := getattr(options, name)) is not None:
            try:
                write_report(run, name, path, options.group_by)
                tell(f"Written: {path}")
            except RunFileError as error:  # The others are written all the same.
                problems.append(error)
    if unsaid := add_step_summary(run, options.group_by):
        complain(unsaid)
    for command in github_lines(run, Path.cwd(), enforced=True):
        # As it is: what `say` shows is no command any more.
        print(command, file=commands)
    for problem in problems[1:]:
        complain(str(problem))
    if problems:
        raise problems[0]
