"""What users may set: each function takes where that stands and its value; SettingError if it cannot be."""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pytest_whq.errors import SettingError
from pytest_whq.units import parse_ratio


def whole_number(at_least: int) -> Callable[[str, Any], int]:
    """Takes a whole number of at least so much."""

    def parse(where: str, value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = at_least - 1
        if isinstance(value, bool) or number < at_least:
            raise SettingError(f"{where} must be a whole number of at least {at_least}, not {value!r}.")
        return number

    return parse


def seconds(*, above_zero: bool) -> Callable[[str, Any], float]:
    """Takes a number of seconds."""

    def parse(where: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or number < 0 or (above_zero and number == 0):
            least = "above 0" if above_zero else "of at least 0"
            raise SettingError(f"{where} must be a number of seconds {least}, not {value!r}.")
        return number

    return parse


def flag(where: str, value: Any) -> bool:
    """Takes true or false, also in words."""
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise SettingError(f"{where} must be true or false, not {value!r}.")


def share(where: str, value: Any) -> float:
    """Takes a share below 1, as a ratio or in percent."""
    ratio = _ratio(value)
    # Who writes 2 means 2 %, and 200 % would end every measurement at once.
    if ratio is None or ratio >= 1:
        raise SettingError(f'{where} must be a share such as "2%" or 0.02, not {value!r}.')
    return ratio


def share_of_all(where: str, value: Any) -> float:
    """Takes a share from 0 to 100 %, as a ratio or in percent."""
    with suppress(TypeError, ValueError):
        if not isinstance(value, bool) and float(str(value).strip().removesuffix("%")) == 0:
            return 0.0
    ratio = _ratio(value)
    # Who writes 1 means 1 %, and 100 % would allow all.
    if ratio is None or ratio > 1 or (ratio == 1 and "%" not in str(value)):
        raise SettingError(
            f'{where} must be a share from 0 to "100%", such as "2%" or 0.02, not {shown(value)}.'
        )
    return ratio


def change_allowed(where: str, value: Any) -> float:
    """Takes how much more is allowed, above 0 and below twice as much, as a ratio or in percent."""
    ratio = _ratio(value)
    if ratio is None or ratio >= 1:
        hint = "" if ratio is None else f", which is {ratio * 100:g} %"
        raise SettingError(
            f'{where} must be a share above 0, such as "5%" or 0.05, not {shown(value)}{hint}.'
        )
    return ratio


def _ratio(value: object) -> float | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            return parse_ratio(value)
    return None


def shown(value: object) -> str:
    """The value as a message can hold it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def run_name(where: str, value: Any) -> str:
    """The name of a run, as it can stand in a comment, a file's name and a key."""
    if not re.fullmatch(r"[\w.-][\w. -]{0,99}", str(value)):
        raise SettingError(f"{where} cannot be {shown(value)}: it is letters, digits and . _ - only.")
    return str(value)
