"""The pages of docs/ that the code writes: what pytest and the command take."""

import argparse
from collections.abc import Iterator

from pytest_whq.cli import parser
from pytest_whq.plugin.options import LIST, MAYBE, OPTIONS, name_of

SETTINGS = """# Settings

Each option of pytest is an ini setting, too, with `_` for `-`: `whq_rounds = 10` in `pytest.ini` or under
`[tool.pytest.ini_options]`. A marker goes before an option, an option before the ini file. This page is
written by the code; `pytest --help` tells the same.
"""

COMMANDS = """# Commands

`whq COMMAND --help` tells the same; this page is written by the code. A command ends with 0, with 1 when
a verdict fails, and with 2 and a sentence when it cannot be carried out.
"""


def settings_page() -> str:
    """Every option of pytest in a table."""
    rows = (
        f"| `{option}{_value(action, metavar)}` | `{name_of(option)}` | "
        f"{_cell(meaning)}{' Repeatable.' if action == LIST else ''} |"
        for option, action, metavar, meaning in OPTIONS
    )
    return "\n".join((SETTINGS, "| option | ini setting | |", "|---|---|---|", *rows, ""))


def _value(action: str, metavar: str | None) -> str:
    if metavar is None:
        return ""
    return f"[={metavar}]" if action == MAYBE else f" {metavar}"


def commands_page() -> str:
    """Every command with its arguments."""
    return "\n".join(
        (COMMANDS, *(line for name, one in commands_of(parser()) for line in _command(name, one)))
    )


def commands_of(whole: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command of the ``whole`` with its name."""
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _command(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## `whq {name}`", "", _sentence(command.description or ""), "")
    rows = [_argument(action) for action in command._actions if action.dest != "help"]
    if rows:
        yield from ("| argument | |", "|---|---|", *rows, "")


def _argument(action: argparse.Action) -> str:
    takes = "" if action.nargs == 0 else _metavar(action)
    names = [f"`{f'{option} {takes}'.strip()}`" for option in action.option_strings] or [f"`{takes}`"]
    return f"| {', '.join(names)} | {_cell(action.help or '')} |"


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return ",".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _cell(text: str) -> str:
    return text.replace("%%", "%").replace("|", "\\|")
