"""Where the user wants files: reports, the baseline, the history."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.plugin.given import base_of, called, text_of
from pytest_whq.rendering import RENDERERS
from pytest_whq.storing.history_file import HISTORY_FOLDER
from pytest_whq.storing.overwriting import ANOTHER, why_kept

BUDGET_FILES = ("pyproject.toml", "whq.toml")
"""Where budgets stand in the rootdir, in their order."""


def path_of(config: pytest.Config, name: str) -> Path | None:
    """The path of a file in a folder that is there, None where none is given."""
    path = _given(config, name)
    if path is not None and not path.parent.is_dir():
        raise _cannot_be(config, name, f"there is no folder {path.parent}")
    return path


def reports_of(config: pytest.Config, baseline: Path) -> dict[str, Path]:
    """The path of each report that is asked for; folders that are missing are made when it is written.

    None takes the place of ``baseline`` or of what else the session reads.
    """
    reports: dict[str, Path] = {}
    read = [(baseline, "it is the baseline"), *((path, "the session reads it") for path in _read_by(config))]
    for name in RENDERERS:
        option = f"whq_{name}"
        if (path := _given(config, option)) is None:
            continue
        found = next(folder for folder in path.parents if folder.exists())
        if not found.is_dir():
            raise _cannot_be(config, option, f"{found} is no folder")
        if not os.access(found, os.W_OK):
            raise _cannot_be(config, option, "its folder is read-only")
        taken = [*read, *((other, ANOTHER) for other in reports.values())]
        if (why := why_kept(path, taken, is_run=name == "json")) is not None:
            raise _cannot_be(config, option, why)
        reports[name] = path
    return reports


def _read_by(config: pytest.Config) -> Iterator[Path]:
    """The files that a session reads: settings, budgets, a tokenizer, and those that its arguments name."""
    if config.inipath is not None:
        yield config.inipath
    yield from (config.rootpath / name for name in BUDGET_FILES)
    if tokenizer := text_of(config, "whq_tokenizer"):
        yield base_of(config, "whq_tokenizer") / tokenizer
    yield from (config.invocation_params.dir / argument.split("::", 1)[0] for argument in config.args)


def _given(config: pytest.Config, name: str) -> Path | None:
    text = text_of(config, name)
    if not text:
        return None
    if text == "-":
        raise _cannot_be(config, name, "that is no file, and whq show --format prints to standard output")
    path = base_of(config, name) / text
    if path.is_dir():
        raise _cannot_be(config, name, "it is a folder")
    return path


def _cannot_be(config: pytest.Config, name: str, why: str) -> SettingError:
    return SettingError(f"{called(config, name)} cannot be {text_of(config, name)!r}: {why}.")


def history_folder(config: pytest.Config) -> Path | None:
    """The folder of the history that the run is to be kept in, None where it is not asked for."""
    text = text_of(config, "whq_save")
    if text is None or text.lower() in ("false", "no", "off"):
        return None
    if text.lower() in ("", "true", "yes", "on"):
        return config.rootpath / HISTORY_FOLDER
    path = base_of(config, "whq_save") / text
    # --whq-save tests/energy would take the tests for the folder.
    strange = not path.is_dir() if path.exists() else False
    if strange or any(path.glob("*.py")):
        what = "is no folder" if strange else "holds Python files"
        raise SettingError(
            f"{called(config, 'whq_save')} cannot be {text!r}, which {what}: "
            "write --whq-save=FOLDER, or --whq-save alone behind the tests."
        )
    return path
