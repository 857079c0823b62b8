"""The ``whq`` command: one function for each of its commands, each in one row of a table.

Nothing but argparse is imported before a command runs: ``whq --help`` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pytest_whq import __version__
from pytest_whq.errors import SettingError, WhqError

if TYPE_CHECKING:
    from pytest_whq.model import Run

JOURNAL_FOLDER = Path(".pytest_cache", "d", "whq")
"""Where the plugin keeps the journal, seen from the folder that pytest ran in."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, 1 when a budget fails, 2 for usage or a file, 130 when interrupted."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a ± still gets the figures.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except WhqError as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:
        _drop_output()
        # What a shell reports for a program that SIGPIPE ended.
        return 141
    except OSError as error:
        _drop_output()
        _complain(f"The output cannot be written ({error.strerror}).")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(argv)
    except SystemExit as done:
        # --help and --version: they have printed what they had to.
        return int(done.code or 0)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _complain(sentence: str) -> None:
    from pytest_whq.rendering.words import one_line

    print(f"whq: {one_line(sentence)}", file=sys.stderr)


def _drop_output() -> None:
    """Let what is still to be written go nowhere, or the interpreter fails on it when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message} (see {self.prog} --help).")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="whq", description="The energy of LLM inference, as pytest-whq measured it.")
    parser.add_argument("--version", action="version", version=f"pytest-whq {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help, description=command.help)
        if command.arguments is not None:
            command.arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


class _Command(NamedTuple):
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="RUN", nargs="?", type=Path, help="a run file; default: the last session"
    )
    parser.add_argument("--format", choices=tuple(_FORMATS), default="terminal", help="default: terminal")
    _add_verbose(parser)


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="count", default=0, help="tokens, power and time as well")


def _show(options: argparse.Namespace) -> int:
    print(_FORMATS[options.format](_load(options.file), options))
    return 0


def _load(path: Path | None) -> "Run":
    """The run at ``path``, else that of the last session in this folder."""
    if path is not None:
        from pytest_whq.storing.runfile import read_run

        return read_run(path)
    from pytest_whq.storing.journal import read_last_session

    session = read_last_session(JOURNAL_FOLDER)
    if session.note is not None:
        _complain(session.note)
    return session.run


def _as_terminal(run: "Run", options: argparse.Namespace) -> str:
    import shutil

    from pytest_whq.rendering import terminal

    return terminal.render(run, verbosity=options.verbose, width=shutil.get_terminal_size().columns)


def _as_json(run: "Run", _: argparse.Namespace) -> str:
    from pytest_whq.storing.runfile import run_as_json

    return run_as_json(run).removesuffix("\n")


_FORMATS: dict[str, Callable[["Run", argparse.Namespace], str]] = {
    "terminal": _as_terminal,
    "json": _as_json,
}


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="RUN", type=Path, help="a run file")
    _add_verbose(parser)
    parser.add_argument(
        "--budgets",
        metavar="FILE",
        type=Path,
        required=True,
        help="pyproject.toml, or a file such as whq.toml",
    )


def _check(options: argparse.Namespace) -> int:
    from pytest_whq.judging.budgets import failing_sentence
    from pytest_whq.rendering.words import one_line
    from pytest_whq.storing.runfile import read_run

    run = _judged(read_run(options.file), options.budgets)
    print(_as_terminal(run, options))
    sentences = [
        f"{record.test}: {failing_sentence(verdict, record.measurement, run.rig.devices, run.rig.source)}"
        for record in run.records
        for verdict in record.budgets
        if verdict.fails
    ]
    for sentence in sentences:
        print(one_line(sentence))
    if not any(record.budgets for record in run.records):
        print(one_line(f"No budget in {options.budgets} is for a test in {options.file}."))
    return 1 if sentences else 0


def _judged(run: "Run", budget_file: Path) -> "Run":
    """``run`` with the verdicts of ``budget_file`` in place of those that it was stored with."""
    from dataclasses import replace

    from pytest_whq.judging.budget_file import parse_budgets
    from pytest_whq.judging.budgets import judge_budgets

    entries = parse_budgets(_text(budget_file), str(budget_file))
    budgets = [budget for entry in entries for budget in entry.budgets]
    records = (
        replace(record, budgets=judge_budgets(record.test, record.measurement, run.rig.devices, file=budgets))
        for record in run.records
    )
    return replace(run, records=tuple(records))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise SettingError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{path} is not UTF-8 text ({error.reason}). Check the path.") from error


def _devices_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="learn how the GPUs' sensors behave, under a load where torch can make one; some 30 s each",
    )
    parser.add_argument("--devices", metavar="LIST", help="which GPUs to calibrate: indices, UUIDs or all")
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        help="over how long at most to compare counter and power (default: 10)",
    )
    parser.add_argument("--json", metavar="PATH", type=Path, help="write the calibration to this file, too")


def _devices(options: argparse.Namespace) -> int:
    if options.calibrate:
        return _calibrate(options)
    if any(given is not None for given in (options.devices, options.seconds, options.json)):
        raise SettingError("--devices, --seconds and --json go with --calibrate (see whq devices --help).")
    from pytest_whq.measuring.clock import SystemClock
    from pytest_whq.measuring.listing import list_measurable
    from pytest_whq.rendering import listing

    print(listing.render(list_measurable(SystemClock())))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from pytest_whq.measuring.calibrating import calibrate_gpus
    from pytest_whq.measuring.clock import SystemClock
    from pytest_whq.rendering import calibration
    from pytest_whq.storing.calibrations import calibrations_as_json
    from pytest_whq.storing.files import write_text

    seconds = 10.0 if options.seconds is None else options.seconds
    if not 0 < seconds <= 600:
        raise SettingError(f"--seconds must be above 0 and at most 600, not {seconds:g}.")
    driver, found = calibrate_gpus(SystemClock(), options.devices, seconds, _note)
    print(calibration.render(found))
    if options.json is not None:
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        tool = f"pytest-whq {__version__}"
        write_text(options.json, calibrations_as_json(found, created=created, tool=tool, driver=driver))
    return 0


def _note(text: str) -> None:
    if text:
        _complain(text)


_COMMANDS = (
    _Command("devices", "List what can be measured here, and how.", _devices, _devices_arguments),
    _Command("show", "Show a run, or the last session.", _show, _show_arguments),
    _Command("check", "Judge a run by a file of budgets; exit 1 when one fails.", _check, _check_arguments),
)
