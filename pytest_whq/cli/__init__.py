"""The ``whq`` command: one function for each of its commands, each in one row of a table.

Nothing but argparse is imported before a command runs: ``whq --help`` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import NamedTuple, NoReturn

from pytest_whq.cli import completion, devices, history, importing, places, run, show, table, verdicts
from pytest_whq.cli.console import complain, refuse_overwriting
from pytest_whq.errors import SettingError, WhqError, did_you_mean
from pytest_whq.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, 1 when a verdict fails or is missing, 2 for usage or a file, 130 when stopped."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a ± still gets the figures.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except WhqError as error:
        complain(str(error))
        return 2
    except BrokenPipeError:
        _drop_output()
        # What a shell reports for a program that SIGPIPE ended.
        return 141
    except OSError as error:
        _drop_output()
        complain(f"The output cannot be written ({error.strerror}).")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    # Cut here, because what argparse makes of -- differs from Python to Python.
    cut = given.index("--") if "--" in given else len(given)
    _refuse_unknown_command(given[:cut])
    try:
        options, unknown = parser().parse_known_args(given[:cut])
    except SystemExit as done:
        # --help and --version: they have printed what they had to.
        return int(done.code or 0)
    options.after_dashes = given[cut + 1 :]
    if not options.takes_dashes:
        unknown += options.after_dashes
    if unknown:
        # What is a command or pytest's own goes after --, which is easily left out.
        forgotten = options.takes_dashes and cut == len(given) and not unknown[0].startswith("-")
        hint = "; is a -- missing before them?" if forgotten else ""
        raise SettingError(
            f"unrecognized arguments: {' '.join(unknown)}{hint} (see whq {options.command} --help)."
        )
    refuse_overwriting(options)
    command: Callable[[argparse.Namespace], int] = options.run
    return command(options)


def _refuse_unknown_command(given: Sequence[str]) -> None:
    names = [command.name for command in _COMMANDS]
    if given and not given[0].startswith("-") and given[0] not in names:
        hint = did_you_mean(given[0], names)
        raise SettingError(f"There is no command {given[0]!r}{hint}: there are {', '.join(names)}.")


def _drop_output() -> None:
    """Let what is still to be written go nowhere, or the interpreter fails on it when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message} (see {self.prog} --help).")


def parser() -> argparse.ArgumentParser:
    """What the command takes: a subparser for each of its commands."""
    whole = _Parser(prog="whq", description="The energy of LLM inference, as pytest-whq measured it.")
    whole.add_argument("--version", action="version", version=f"pytest-whq {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help, description=command.help)
        if command.arguments is not None:
            command.arguments(subparser)
        subparser.set_defaults(command=command.name, run=command.run, takes_dashes=command.takes_dashes)
    return whole


class _Command(NamedTuple):
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] | None = None
    takes_dashes: bool = False


_COMMANDS = (
    _Command(
        "devices", "List what can be measured here, and how.", devices.devices, devices.devices_arguments
    ),
    _Command("show", "Show a run, a baseline, or the last session.", show.show, show.show_arguments),
    _Command("table", "Show a run as a table of workloads.", table.table, table.table_arguments),
    _Command(
        "import",
        "Import other tools' results and power logs as a run.",
        importing.import_,
        importing.import_arguments,
    ),
    _Command(
        "check",
        "Judge a run by budgets or a baseline; exit 1 when one fails, or nothing was judged.",
        verdicts.check,
        verdicts.check_arguments,
    ),
    _Command("accept", "Accept runs into a baseline.", verdicts.accept, verdicts.accept_arguments),
    _Command(
        "compare",
        "Compare runs with others; exit 1 when a test regressed, or nothing was compared.",
        verdicts.compare,
        verdicts.compare_arguments,
        takes_dashes=True,
    ),
    _Command(
        "ab",
        "Measure a base commit and the working tree in turns, and compare; exit 1 as compare does.",
        verdicts.ab,
        verdicts.ab_arguments,
        takes_dashes=True,
    ),
    _Command(
        "run",
        "Measure a whole command, and end as it does.",
        run.run,
        run.run_arguments,
        takes_dashes=True,
    ),
    _Command(
        "history",
        "Show each test's energy over runs, and where it changed.",
        history.history,
        history.history_arguments,
    ),
    _Command(
        "regions",
        "Show what a run's energy amounts to in several places, side by side.",
        places.regions,
        places.regions_arguments,
    ),
    _Command(
        "bound",
        "Show what a token can take at most, if nobody sells below the price of electricity.",
        places.bound,
        places.bound_arguments,
    ),
    _Command(
        "disclose",
        "Print the sheet one would ask of a provider, or check one; exit 1 when it leaves something out.",
        places.disclose,
        places.disclose_arguments,
    ),
    _Command(
        "completion",
        "Print what lets a shell complete this command.",
        lambda options: completion.completion(options, parser),
        completion.completion_arguments,
    ),
)
