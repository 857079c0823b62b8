"""The command that shows a run, a baseline or the last session."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli import places
from pytest_whq.cli.console import add_table, load, say
from pytest_whq.cli.outputs import add_format, print_run
from pytest_whq.cli.rules import add_rules, rules_of
from pytest_whq.errors import SettingError

if TYPE_CHECKING:
    from pytest_whq.model import Run

_PLANNED_RUNS = (1, 3, 6)
"""A session, one whose suspects are measured twice more, and the pairs of a careful ``whq ab``."""


def show_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq show`` takes."""
    parser.add_argument(
        "file",
        metavar="RUN",
        nargs="?",
        type=Path,
        help="a run file or a baseline; default: the last session",
    )
    add_format(parser)
    add_table(parser)
    places.add_place(parser)
    parser.add_argument(
        "--equivalents",
        action="store_true",
        help="what a query is like, and what others published, none of it like for like",
    )
    parser.add_argument(
        "--power", action="store_true", help="which change of each test a comparison with this could find"
    )
    add_rules(parser)


def show(options: argparse.Namespace) -> int:
    """Show it, and with it what is asked for beside."""
    _check(options)
    run = places.placed(load(options.file), options)
    print_run(run, options)
    if options.power:
        say(f"\n{_power(run, options)}")
    if options.equivalents:
        from pytest_whq.rendering.places import equivalents

        say(f"\n{equivalents.render(run)}")
    return 0


def _check(options: argparse.Namespace) -> None:
    for name, verb in (("equivalents", "are"), ("power", "is")):
        if getattr(options, name) and options.format != "terminal":
            raise SettingError(f"--{name} {verb} for the terminal: leave --format out.")
    rules = (options.max_regression, options.run_noise, options.other_boards)
    if not options.power and any(rule is not None for rule in rules):
        raise SettingError("--max-regression, --run-noise and --other-boards are for --power: add it.")


def _power(run: "Run", options: argparse.Namespace) -> str:
    from pytest_whq.judging.run_comparison import findable_by
    from pytest_whq.model.baseline import Baseline, accept, of_latest_rig
    from pytest_whq.rendering import findable
    from pytest_whq.storing.any_file import read_baseline_at

    accepted_here = None if options.file is None else read_baseline_at(options.file)
    baseline = accepted_here or accept(Baseline({}), run).baseline
    if not baseline.tests:
        return "No change could be found: no test has a figure that others can be compared with."
    rules = rules_of(options)
    by_runs = {runs: findable_by(baseline, rules, runs) for runs in _PLANNED_RUNS}
    accepted = {test: len(of_latest_rig(entries)) for test, entries in baseline.tests.items()}
    return findable.table(by_runs, accepted)
