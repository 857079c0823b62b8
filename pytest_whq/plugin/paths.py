"""Where the user wants files: reports, the baseline, the history."""

import os
from pathlib import Path

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.plugin.given import base_of, called, text_of
from pytest_whq.rendering import RENDERERS
from pytest_whq.storing.history_file import HISTORY_FOLDER


def path_of(config: pytest.Config, name: str) -> Path | None:
    """The path of a file, None where none is given."""
    text = text_of(config, name)
    if not text:
        return None
    path = base_of(config, name) / text
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise SettingError(f"{called(config, name)} cannot be {text!r}: {why}.")
    return path


def reports_of(config: pytest.Config) -> dict[str, Path]:
    """The path of each report that is asked for, where a file can be written."""
    reports: dict[str, Path] = {}
    for name in RENDERERS:
        option = f"whq_{name}"
        if (path := path_of(config, option)) is None:
            continue
        if not os.access(path.parent, os.W_OK):
            raise SettingError(f"{called(config, option)} cannot be {str(path)!r}: its folder is read-only.")
        if path in reports.values():
            raise SettingError(f"{called(config, option)} cannot be {str(path)!r}: another report is.")
        reports[name] = path
    return reports


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
