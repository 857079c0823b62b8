"""``whq history``: each test's energy over runs, in the terminal and as a page."""

import argparse
from pathlib import Path

from pytest_whq.cli.console import add_file_to_write, complain, say
from pytest_whq.errors import SettingError, WhqError


def history_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq history`` takes."""
    parser.add_argument(
        "paths",
        metavar="FOLDER",
        nargs="*",
        type=Path,
        help="folders of pytest --whq-save, run files or baselines; default: .whq/history",
    )
    parser.add_argument(
        "--tests", metavar="GLOB", default="*", help="only tests whose ids fit, such as *chat*"
    )
    parser.add_argument("--run-noise", metavar="P", help="how much runs differ at least (default: 1%%)")
    add_file_to_write(parser, "--html", what="write the history as one HTML page; makes its folder")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="every change of each test")


def history(options: argparse.Namespace) -> int:
    """Show each test's energy over runs, and where it changed."""
    from pytest_whq.history.change_points import change_points
    from pytest_whq.history.series import series_of
    from pytest_whq.judging.run_noise import RUN_NOISE
    from pytest_whq.rendering.history import page, table
    from pytest_whq.setting_values import share
    from pytest_whq.storing.any_file import read_history_of
    from pytest_whq.storing.files import make_folder_of, write_text
    from pytest_whq.storing.history_file import HISTORY_FOLDER
    from pytest_whq.units import number_of

    noise = RUN_NOISE if options.run_noise is None else share("--run-noise", options.run_noise)
    paths = options.paths or [HISTORY_FOLDER]
    runs, problems = read_history_of([path for path in paths if path != HISTORY_FOLDER or path.exists()])
    if problems and not runs:
        raise problems[0]
    for problem in problems:
        complain(str(problem))
    if problems:
        files = number_of(len(problems), "file")
        complain(f"{files} of the history cannot be read: what is shown is of the others.")
    if not runs:
        raise SettingError(f"{', '.join(map(str, paths))} keeps no run: pytest --whq-save keeps each there.")
    note, detector = "", None
    try:
        detector = change_points(noise)
    except WhqError as missing:
        note = str(missing)
    found = series_of(runs, options.tests, detector)
    if not found:
        raise SettingError(f"--tests {options.tests} fits none of the tests in {len(runs)} runs.")
    say(table.render(runs, found, verbosity=options.verbose))
    if note:
        complain(note)
    if options.html is not None:
        make_folder_of(options.html)
        write_text(options.html, page.render(runs, found, note))
        say(f"Written: {options.html}")
    return 0
