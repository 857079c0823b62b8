"""By what commands compare runs: limits, noise, the file of budgets."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_whq.judging.budget_file import BudgetEntry
    from pytest_whq.judging.run_comparison import Rules


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Let a command take by what it compares."""
    parser.add_argument("--max-regression", metavar="P", help="the change allowed (default: 5%%)")
    parser.add_argument("--run-noise", metavar="P", help="how much runs differ at least (default: 1%%)")
    parser.add_argument(
        "--other-boards", metavar="P", help="compare with other boards of the model, which differ by so much"
    )


def rules_of(options: argparse.Namespace) -> "Rules":
    """What `add_rules`, and ``--budgets`` where a command has it, say."""
    from pytest_whq.judging.regressions import Limit
    from pytest_whq.judging.run_comparison import Rules
    from pytest_whq.judging.run_noise import RUN_NOISE, Noise
    from pytest_whq.setting_values import change_allowed, share

    limit = Limit()
    if options.max_regression is not None:
        limit = Limit(change_allowed("--max-regression", options.max_regression), "--max-regression")
    noise = RUN_NOISE if options.run_noise is None else share("--run-noise", options.run_noise)
    boards = None if options.other_boards is None else share("--other-boards", options.other_boards)
    budgets = getattr(options, "budgets", None)
    entries = () if budgets is None else entries_of(budgets)
    return Rules(limit, entries, Noise(noise, boards))


def entries_of(path: Path) -> "tuple[BudgetEntry, ...]":
    """The budgets in the file at ``path``; SettingError where it has none that can be read."""
    from pytest_whq.judging.budget_file import parse_budgets
    from pytest_whq.storing.files import read_settings

    return parse_budgets(read_settings(path, str(path)), str(path))
