"""``whq completion``: what lets a shell complete the command, by the package shtab."""

import argparse
import importlib
from collections.abc import Callable
from typing import Any

from pytest_whq.cli.console import hand_over
from pytest_whq.errors import SettingError

_SHELLS = ("bash", "zsh", "tcsh")


def completion_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq completion`` takes."""
    parser.add_argument("shell", metavar="SHELL", choices=_SHELLS, help=", ".join(_SHELLS))


def completion(options: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser]) -> int:
    """Print the script for a shell, made of the ``parser`` of all commands."""
    try:
        shtab: Any = importlib.import_module("shtab")
    except ImportError as error:
        raise SettingError(
            'whq completion needs the package shtab. Install it: pip install "pytest-whq[completion]".'
        ) from error
    hand_over(shtab.complete(parser(), shell=options.shell))
    return 0
