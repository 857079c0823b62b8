"""``whq compare`` without ``--``: several runs side by side, of which nothing is judged."""

import argparse
from typing import TYPE_CHECKING

from pytest_whq.cli.console import complain, hand_over, load, say
from pytest_whq.errors import SettingError
from pytest_whq.rendering import RENDERERS
from pytest_whq.rendering.side_by_side import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_whq.model import Run

_OF_ONE_RUN = ("sort", "columns", "group_by", "name", *(name for name in RENDERERS if name not in FORMATS))
_OF_JUDGING = ("budgets", "max_regression", "run_noise", "other_boards")


def side_by_side(options: argparse.Namespace) -> int:
    """Show the runs of ``options``; SettingError for what only runs that are judged have."""
    if options.format not in FORMATS:
        raise SettingError(f"Runs side by side can be printed as {', '.join(FORMATS)}: {_JUDGE}.")
    for name in (*_OF_ONE_RUN, *_OF_JUDGING):
        if getattr(options, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise SettingError(f"{option} does nothing for runs side by side: {_JUDGE}.")
    if twice := next((path for path in options.bases if options.bases.count(path) > 1), None):
        raise SettingError(f"{twice} is given twice: whq compare sets different runs side by side.")
    runs = {str(path): load(path) for path in options.bases}
    if len(runs) < 2:
        raise SettingError(
            "whq compare needs the runs to judge after --: whq compare BASE... -- HEAD...; "
            "or two runs or more to show side by side."
        )
    _show(runs, options)
    return 0


_JUDGE = "to judge some of them by the others, put them after --"


def _show(runs: "Mapping[str, Run]", options: argparse.Namespace) -> None:
    import shutil

    from pytest_whq.rendering.side_by_side import terminal
    from pytest_whq.storing.files import make_folder_of, write_text

    for_people = options.format == "terminal"
    if for_people:
        say(terminal(runs, shutil.get_terminal_size().columns))
    else:
        hand_over(FORMATS[options.format](runs))
    for name in RENDERERS:
        if (path := getattr(options, name)) is not None:
            make_folder_of(path)
            write_text(path, FORMATS[name](runs))
            (say if for_people else complain)(f"Written: {path}")
