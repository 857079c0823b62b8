"""Budgets as users write them: in a file, in a marker, on the command line."""

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pytest_whq.errors import SettingError, did_you_mean
from pytest_whq.judging.budgets import Budget
from pytest_whq.judging.max_failed import MaxFailed, max_failed
from pytest_whq.model import METRICS
from pytest_whq.setting_values import change_allowed, shown

_MARKER_KEYS = (*METRICS, "max_regression", "max_failed", "hardware", "estimate")
_FILE_KEYS = ("tests", *_MARKER_KEYS)
_BUDGET_FILES = "give pyproject.toml, or a file such as whq.toml"


@dataclass(frozen=True, slots=True)
class BudgetEntry:
    """One table of a budget file, or one marker: limits by metric, and what they are for.

    ``max_regression`` is a ratio, None where the entry does not say. For the rest see `Budget`.
    """

    limits: Mapping[str, float]
    origin: str
    tests: str = "*"
    hardware: str = "*"
    estimate: bool = False
    max_regression: float | None = None
    max_failed: MaxFailed | None = None

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """One budget for each metric that the entry limits."""
        return tuple(
            Budget(metric, limit, self.origin, self.tests, self.hardware, self.estimate, self.max_failed)
            for metric, limit in self.limits.items()
        )


def parse_budgets(text: str, name: str) -> tuple[BudgetEntry, ...]:
    """The entries of a budget file with the content ``text``, in their order.

    ``name`` is its path, for messages: a ``pyproject.toml`` holds ``[[tool.whq.budgets]]``, a file
    of any other name ``[[budgets]]``. Entries are numbered from 0, as ``budgets[0]``. Raises
    SettingError, which names the file, the entry and the key.
    """
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if PurePath(name).suffix != ".toml":
            raise SettingError(f"{name} is no file of budgets, which is in TOML: {_BUDGET_FILES}.") from error
        raise SettingError(f"{name} is not valid TOML: {error}.") from error
    where, prefix = name, ""
    if PurePath(name).name == "pyproject.toml":
        where, prefix = f"{name}, tool.whq", "tool.whq."
        for key in ("tool", "whq"):
            table = table.get(key, {})
            if not isinstance(table, dict):
                raise SettingError(f"{where} must be a table, not {shown(table)}.")
    if PurePath(name).suffix != ".toml" and "budgets" not in table:
        raise SettingError(f"{name} is no file of budgets: it has no [[budgets]]; {_BUDGET_FILES}.")
    _refuse_unknown(where, table, ("budgets",))
    entries = table.get("budgets", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingError(f"{name}: budgets must be an array of tables, each under [[{prefix}budgets]].")
    return tuple(
        _entry(f"{name}, budgets[{number}]", values, _FILE_KEYS) for number, values in enumerate(entries)
    )


def budgets_from_marker(args: Sequence[object], kwargs: Mapping[str, object], test: str) -> BudgetEntry:
    """The entry that a ``whq_budget`` marker on ``test`` (a node id, for messages) makes.

    Raises SettingError for positional arguments and for keywords that an entry cannot have.
    """
    where = f"{test}: the whq_budget marker"
    if args:
        raise SettingError(f"{where} takes keywords only, such as wh_per_query=0.05, not {shown(args[0])}.")
    return _entry(where, kwargs, _MARKER_KEYS, origin="marker")


def budget_from_cap(text: str) -> Budget:
    """The budget that ``--whq-max METRIC=VALUE`` means; SettingError where it means none."""
    where = f"--whq-max {text}"
    metric, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise SettingError(f"{where} must be METRIC=VALUE, such as wh_per_query=0.05.")
    _refuse_unknown(where, [metric], METRICS)
    try:
        number: object = float(value)
    except ValueError:
        number = value
    return Budget(metric, _limit(where, metric, number), origin="--whq-max")


def _entry(
    where: str, values: Mapping[str, object], allowed: Collection[str], origin: str | None = None
) -> BudgetEntry:
    _refuse_unknown(where, values, allowed)
    limits = {metric: _limit(where, metric, values[metric]) for metric in METRICS if metric in values}
    regression, failed = values.get("max_regression"), values.get("max_failed")
    if not limits and regression is None:
        raise SettingError(
            f"{where} sets no limit: give it one of {', '.join((*METRICS, 'max_regression'))}."
        )
    return BudgetEntry(
        limits=limits,
        origin=origin or where,
        tests=_glob(where, "tests", values.get("tests", "*")),
        hardware=_glob(where, "hardware", values.get("hardware", "*")),
        estimate=_flag(where, "estimate", values.get("estimate", False)),
        max_regression=None if regression is None else change_allowed(f"{where}: max_regression", regression),
        max_failed=None if failed is None else max_failed(f"{where}: max_failed", failed),
    )


def _limit(where: str, metric: str, value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number) and number > 0:
            return number
    unit = METRICS[metric].unit
    raise SettingError(f"{where}: {metric} must be a number of {unit} above 0, not {shown(value)}.")


def _glob(where: str, key: str, value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise SettingError(f'{where}: {key} must be a pattern in quotes, such as "*", not {shown(value)}.')


def _flag(where: str, key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise SettingError(f"{where}: {key} must be true or false, not {shown(value)}.")


def _refuse_unknown(where: str, keys: Collection[str], allowed: Collection[str]) -> None:
    for key in keys:
        if key not in allowed:
            hint = did_you_mean(key, allowed)
            raise SettingError(f"{where}: there is no {key!r}{hint}, only {', '.join(allowed)}.")
