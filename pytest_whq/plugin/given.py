"""What the user gave for a setting, and how it is called where they wrote it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.setting_values import flag


def value_of(config: pytest.Config, name: str) -> Any:
    """The option, else the ini setting, else None."""
    value = config.getoption(name)
    if value is not None:
        return value
    try:
        return config.getini(name)
    except (TypeError, ValueError) as error:  # Before 9.2 pytest lets a TOML value of another type out so.
        raise SettingError(f"{name} cannot be used: {error}") from error


def called(config: pytest.Config, name: str) -> str:
    """The setting as the user wrote it: as an option or in a file."""
    if config.getoption(name) is not None:
        return f"--{name.replace('_', '-')}"
    return name if config.inipath is None else f"{name} in {config.inipath.name}"


def text_of(config: pytest.Config, name: str) -> str | None:
    """The setting as text, None where it is not given."""
    value = value_of(config, name)
    return None if value is None else str(value)


def base_of(config: pytest.Config, name: str) -> Path:
    """The folder that a path given as ``name`` is relative to."""
    return config.rootpath if config.getoption(name) is None else config.invocation_params.dir


def parsed_of(
    config: pytest.Config, name: str, parse: Callable[[str, Any], Any], otherwise: Any = None
) -> Any:
    """What ``parse`` makes of the setting, given what the user calls it; ``otherwise`` without one."""
    value = value_of(config, name)
    return otherwise if value is None else parse(called(config, name), value)


def flag_of(config: pytest.Config, name: str) -> bool:
    """The setting as true or false, false where it is not given."""
    return bool(parsed_of(config, name, flag, False))
