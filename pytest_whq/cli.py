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
    from pytest_whq.judging.run_comparison import Rules
    from pytest_whq.model import Run

JOURNAL_FOLDER = Path(".pytest_cache", "d", "whq")
"""Where the plugin keeps the journal, seen from the folder that pytest ran in."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, 1 when a verdict fails, 2 for usage or a file, 130 when interrupted."""
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
    given = list(sys.argv[1:] if argv is None else argv)
    # Cut here, because what argparse makes of -- differs from Python to Python.
    cut = given.index("--") if "--" in given else len(given)
    try:
        options = _parser().parse_args(given[:cut])
    except SystemExit as done:
        # --help and --version: they have printed what they had to.
        return int(done.code or 0)
    options.after_dashes = given[cut + 1 :]
    if options.after_dashes and not options.takes_dashes:
        raise SettingError(f"unrecognized arguments: {' '.join(options.after_dashes)} (see whq --help).")
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
        subparser.set_defaults(run=command.run, takes_dashes=command.takes_dashes)
    return parser


class _Command(NamedTuple):
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] | None = None
    takes_dashes: bool = False


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
        "--budgets", metavar="FILE", type=Path, help="pyproject.toml, or a file such as whq.toml"
    )
    parser.add_argument("--baseline", metavar="PATH", type=Path, help="judge regressions from this baseline")
    _add_rules(parser)


def _check(options: argparse.Namespace) -> int:
    from pytest_whq.judging.budgets import failing_sentence
    from pytest_whq.judging.run_comparison import compare_run
    from pytest_whq.rendering.words import one_line
    from pytest_whq.storing.baseline_file import read_baseline
    from pytest_whq.storing.runfile import read_run

    if options.budgets is None and options.baseline is None:
        raise SettingError("whq check needs --budgets, --baseline or both (see whq check --help).")
    run = read_run(options.file)
    if options.budgets is not None:
        run = _judged(run, options.budgets)
    if options.baseline is not None:
        run = compare_run(run, read_baseline(options.baseline), _rules(options))
    print(_as_terminal(run, options))
    sentences = [
        f"{record.test}: {failing_sentence(verdict, record.measurement, run.rig.devices, run.rig.source)}"
        for record in run.records
        for verdict in (record.budgets if options.budgets is not None else ())
        if verdict.fails
    ]
    for sentence in sentences:
        print(one_line(sentence))
    if options.budgets is not None and not any(record.budgets for record in run.records):
        print(one_line(f"No budget in {options.budgets} is for a test in {options.file}."))
    regressed = options.baseline is not None and _tell_regressions(run)
    return 1 if sentences or regressed else 0


def _tell_regressions(run: "Run") -> bool:
    """Print what comparisons say beside the table; whether one fails."""
    from pytest_whq.judging.policies import Policies, regression_sentence, warning_lines
    from pytest_whq.rendering.words import one_line

    policies = Policies()
    failing = [record for record in run.records if record.comparison and policies.fails(record.comparison)]
    for line in warning_lines(run.records, policies):
        print(one_line(line))
    for record in failing:
        assert record.comparison is not None
        value = record.measurement.metric(record.comparison.metric)
        print(one_line(f"{record.test}: {regression_sentence(record.comparison, value)}"))
    return bool(failing)


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "whq compare [-h] [-v] [options] BASE... -- HEAD..."
    parser.add_argument("bases", metavar="BASE", nargs="+", type=Path, help="run files to compare with")
    _add_verbose(parser)
    parser.add_argument(
        "--budgets", metavar="FILE", type=Path, help="take each test's max_regression from here"
    )
    _add_rules(parser)


def _compare(options: argparse.Namespace) -> int:
    from pytest_whq.judging.run_comparison import compare_runs
    from pytest_whq.rendering.acceptance import named
    from pytest_whq.storing.runfile import read_run

    if not options.after_dashes:
        raise SettingError("whq compare needs the runs to judge after --: whq compare BASE... -- HEAD...")
    bases = [read_run(path) for path in options.bases]
    heads = [read_run(Path(path)) for path in options.after_dashes]
    compared = compare_runs(bases, heads, _rules(options))
    print(_as_terminal(compared.run, options))
    if compared.gone:
        print(f"Only in the base, and not compared: {named(compared.gone)}")
    return 1 if _tell_regressions(compared.run) else 0


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-regression", metavar="P", help="the change allowed (default: 5%%)")
    parser.add_argument("--run-noise", metavar="P", help="how much runs differ at least (default: 1%%)")


def _rules(options: argparse.Namespace) -> "Rules":
    from pytest_whq.judging.budget_file import parse_budgets
    from pytest_whq.judging.ratio_of_means import RUN_NOISE
    from pytest_whq.judging.regressions import Limit
    from pytest_whq.judging.run_comparison import Rules

    limit = Limit()
    if options.max_regression is not None:
        limit = Limit(_share("--max-regression", options.max_regression), "--max-regression")
    noise = RUN_NOISE if options.run_noise is None else _share("--run-noise", options.run_noise)
    entries = () if options.budgets is None else parse_budgets(_text(options.budgets), str(options.budgets))
    return Rules(limit, entries, noise)


def _share(flag: str, value: str) -> float:
    from pytest_whq.units import parse_ratio

    try:
        return parse_ratio(value)
    except ValueError:
        raise SettingError(f'{flag} must be a share above 0, such as "5%" or 0.05, not {value!r}.') from None


def _accept_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="RUN", nargs="*", help="run files; default: the last session")
    parser.add_argument(
        "--baseline",
        metavar="PATH",
        type=Path,
        default=Path("whq-baseline.json"),
        help="default: whq-baseline.json",
    )


def _accept(options: argparse.Namespace) -> int:
    from pytest_whq.rendering import acceptance
    from pytest_whq.storing.baseline_file import update_baseline

    runs = [_load(Path(path)) for path in options.files] or [_load(None)]
    print(acceptance.render(update_baseline(options.baseline, runs), str(options.baseline)))
    return 0


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


def _devices(_: argparse.Namespace) -> int:
    from pytest_whq.measuring.clock import SystemClock
    from pytest_whq.measuring.listing import list_measurable
    from pytest_whq.rendering import listing

    print(listing.render(list_measurable(SystemClock())))
    return 0


_COMMANDS = (
    _Command("devices", "List what can be measured here, and how.", _devices),
    _Command("show", "Show a run, or the last session.", _show, _show_arguments),
    _Command(
        "check", "Judge a run by budgets or a baseline; exit 1 when one fails.", _check, _check_arguments
    ),
    _Command("accept", "Accept runs into a baseline.", _accept, _accept_arguments),
    _Command(
        "compare",
        "Compare runs with others; exit 1 when a test regressed.",
        _compare,
        _compare_arguments,
        takes_dashes=True,
    ),
)
