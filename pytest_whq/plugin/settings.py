"""What the user set, read once: marker over option over ini."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.footprint.place import read_place
from pytest_whq.judging.budget_file import (
    BudgetEntry,
    budget_from_cap,
    budgets_from_marker,
    parse_budgets,
)
from pytest_whq.judging.budgets import Budget
from pytest_whq.judging.max_failed import MaxFailed, max_failed
from pytest_whq.judging.policies import Policies, policies_from
from pytest_whq.judging.regressions import Limit
from pytest_whq.judging.run_noise import RUN_NOISE, Noise
from pytest_whq.measuring.claim import WAIT_S
from pytest_whq.measuring.plan import Plan
from pytest_whq.model import Place
from pytest_whq.rendering import RENDERERS
from pytest_whq.setting_values import flag, seconds, share, whole_number
from pytest_whq.sources.bounded import LIMIT_S
from pytest_whq.sources.roles import RolePattern, role_patterns
from pytest_whq.storing.baseline_file import FILE_NAME
from pytest_whq.storing.files import read_settings


class TokenizerSetting(NamedTuple):
    """The tokenizer that the user names, a path being relative to ``folder``; ``where`` says so."""

    where: str
    named: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a session.

    ``plan`` is how ``whq(call)`` repeats where no marker says otherwise; ``entries`` are those of
    the rootdir's budget files, in their order. ``baseline`` is a path where there may be a file,
    ``reports`` has the path of each report to write, by the name of its renderer.
    """

    enforce: bool
    caps: tuple[Budget, ...]
    entries: tuple[BudgetEntry, ...]
    estimate: bool
    max_failed: MaxFailed | None
    source: str
    devices: str | None
    prometheus_query: str | None
    roles: tuple[RolePattern, ...]
    server: str | None
    driver_timeout_s: float
    wait_s: float
    tokenizer: TokenizerSetting | None
    plan: Plan
    baseline: Path
    update_baseline: bool
    limit: Limit
    noise: Noise
    remeasure: int
    policies: Policies
    reports: Mapping[str, Path]
    place: Place | None
    only: bool
    skip: bool
    disable: bool

    @classmethod
    def of_session(cls, config: pytest.Config) -> "Settings":
        """Read options, ini settings and budget files; SettingError names what cannot be used."""
        caps = tuple(budget_from_cap(text) for text in _value(config, "whq_max") or ())
        settings = cls(
            enforce=_flag(config, "whq_budget") or bool(caps),
            caps=caps,
            entries=_file_entries(config.rootpath),
            estimate=_flag(config, "whq_estimate"),
            max_failed=_max_failed(config),
            source=_text(config, "whq_source") or "auto",
            devices=_text(config, "whq_devices"),
            prometheus_query=_text(config, "whq_prometheus_query"),
            roles=role_patterns(_value(config, "whq_role") or (), _called(config, "whq_role")),
            server=_text(config, "whq_server"),
            driver_timeout_s=_seconds_or(config, "whq_driver_timeout", LIMIT_S, above_zero=True),
            wait_s=_seconds_or(config, "whq_wait", WAIT_S, above_zero=False),
            tokenizer=_tokenizer(config),
            plan=_plan(config),
            baseline=_path(config, "whq_baseline") or config.rootpath / FILE_NAME,
            update_baseline=_flag(config, "whq_update_baseline"),
            limit=_limit(config),
            noise=Noise(
                _share_or(config, "whq_run_noise", RUN_NOISE), _share_or(config, "whq_other_boards", None)
            ),
            remeasure=_remeasure(config),
            policies=_policies(config),
            reports=_reports(config),
            place=_place(config),
            only=_flag(config, "whq_only"),
            skip=_flag(config, "whq_skip"),
            disable=_flag(config, "whq_disable"),
        )
        if settings.only and settings.skip:
            raise SettingError("whq_only and whq_skip together leave no test to run: give one of them.")
        return settings

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets of all entries, in their order."""
        return tuple(budget for entry in self.entries for budget in entry.budgets)


def plan_for(item: pytest.Item, plan: Plan) -> Plan:
    """How ``whq(call)`` repeats in this test: its closest ``whq`` markers over the session's plan."""
    for mark in reversed(list(item.iter_markers("whq"))):
        where = f"{item.nodeid}: the whq marker"
        if mark.args:
            raise SettingError(f"{where} takes keywords only, such as rounds=10, not {mark.args[0]!r}.")
        for name, value in mark.kwargs.items():
            if name not in _PLAN:
                raise SettingError(f"{where} has no {name!r}, only {', '.join(_PLAN)}.")
            plan = replace(plan, **{name: _PLAN[name](f"{where}: {name}", value)})
        _refuse_idle_keywords(item, mark, where)
    return plan


def _refuse_idle_keywords(item: pytest.Item, mark: pytest.Mark, where: str) -> None:
    """Refuse what a test's own marker says of repeating where nothing can repeat."""
    # One of a class or module may be for its other tests.
    if mark not in item.own_markers or "whq" in getattr(item, "fixturenames", ()):
        return
    for name in mark.kwargs:
        if name in _OF_REPEATING:
            raise SettingError(
                f"{where}: {name} has no effect, since without the whq fixture the whole test is one query. "
                "Take the fixture and call whq(call), or leave it out."
            )


def marker_budgets(item: pytest.Item) -> tuple[Budget, ...]:
    """The budgets that ``whq_budget`` markers set for this test, the closest first."""
    return tuple(budget for entry in marker_entries(item) for budget in entry.budgets)


def marker_entries(item: pytest.Item) -> tuple[BudgetEntry, ...]:
    """What ``whq_budget`` markers say for this test, the closest first."""
    markers = item.iter_markers("whq_budget")
    return tuple(budgets_from_marker(mark.args, mark.kwargs, item.nodeid) for mark in markers)


def _file_entries(folder: Path) -> tuple[BudgetEntry, ...]:
    entries: list[BudgetEntry] = []
    for name in ("pyproject.toml", "whq.toml"):
        if (folder / name).is_file():
            entries += parse_budgets(read_settings(folder / name, name), name)
    return tuple(entries)


def _value(config: pytest.Config, name: str) -> Any:
    """The option, else the ini setting, else None."""
    value = config.getoption(name)
    if value is not None:
        return value
    try:
        return config.getini(name)
    except (TypeError, ValueError) as error:  # Before 9.2 pytest lets a TOML value of another type out so.
        raise SettingError(f"{name} cannot be used: {error}") from error


def _called(config: pytest.Config, name: str) -> str:
    """The setting as the user wrote it: as an option or in a file."""
    if config.getoption(name) is not None:
        return f"--{name.replace('_', '-')}"
    return name if config.inipath is None else f"{name} in {config.inipath.name}"


def _text(config: pytest.Config, name: str) -> str | None:
    value = _value(config, name)
    return None if value is None else str(value)


def _base(config: pytest.Config, name: str) -> Path:
    """The folder that a path given as ``name`` is relative to."""
    return config.rootpath if config.getoption(name) is None else config.invocation_params.dir


def _tokenizer(config: pytest.Config) -> TokenizerSetting | None:
    name = "whq_tokenizer"
    text = _text(config, name)
    return None if text is None else TokenizerSetting(_called(config, name), text, _base(config, name))


def _path(config: pytest.Config, name: str) -> Path | None:
    text = _text(config, name)
    if not text:
        return None
    path = _base(config, name) / text
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise SettingError(f"{_called(config, name)} cannot be {text!r}: {why}.")
    return path


def _reports(config: pytest.Config) -> dict[str, Path]:
    """The path of each report that is asked for, where a file can be written."""
    reports: dict[str, Path] = {}
    for name in RENDERERS:
        option = f"whq_{name}"
        if (path := _path(config, option)) is None:
            continue
        if not os.access(path.parent, os.W_OK):
            raise SettingError(f"{_called(config, option)} cannot be {str(path)!r}: its folder is read-only.")
        if path in reports.values():
            raise SettingError(f"{_called(config, option)} cannot be {str(path)!r}: another report is.")
        reports[name] = path
    return reports


def _place(config: pytest.Config) -> Place | None:
    grid, price, pue = (_text(config, f"whq_{name}") for name in ("grid", "price", "pue"))
    return read_place(grid, price, pue, lambda name: _called(config, f"whq_{name}"))


def _max_failed(config: pytest.Config) -> MaxFailed | None:
    value = _value(config, "whq_max_failed")
    return None if value is None else max_failed(_called(config, "whq_max_failed"), value)


def _flag(config: pytest.Config, name: str) -> bool:
    value = _value(config, name)
    return False if value is None else flag(_called(config, name), value)


def _plan(config: pytest.Config) -> Plan:
    given = {}
    for name, parse in _PLAN.items():
        option = f"whq_{name}"
        if (value := _value(config, option)) is not None:
            given[name] = parse(_called(config, option), value)
    return Plan(**given)


def _limit(config: pytest.Config) -> Limit:
    ratio = _share_or(config, "whq_max_regression", None)
    return Limit() if ratio is None else Limit(ratio, _called(config, "whq_max_regression"))


def _share_or(config: pytest.Config, name: str, default: Any) -> Any:
    value = _value(config, name)
    return default if value is None else share(_called(config, name), value)


def _remeasure(config: pytest.Config) -> int:
    value = _value(config, "whq_remeasure")
    return 0 if value is None else whole_number(at_least=0)(_called(config, "whq_remeasure"), value)


def _seconds_or(config: pytest.Config, name: str, default: float, *, above_zero: bool) -> float:
    value = _value(config, name)
    return default if value is None else seconds(above_zero=above_zero)(_called(config, name), value)


def _policies(config: pytest.Config) -> Policies:
    given = list(_value(config, "whq_when") or ())
    if _flag(config, "whq_fail_inconclusive"):
        given.append("inconclusive=fail")
    return policies_from(given, _called(config, "whq_when"))


_OF_REPEATING = frozenset({"rounds", "warmup", "min_seconds", "max_seconds"})
"""What only `whq(call)`, or the warm-up of `whq.load`, heeds."""

_PLAN: Mapping[str, Callable[[str, Any], Any]] = {
    "rounds": whole_number(at_least=1),
    "warmup": whole_number(at_least=0),
    "min_seconds": seconds(above_zero=False),
    "max_seconds": seconds(above_zero=True),
    "precision": share,
    "idle_ok": flag,
}
assert set(_PLAN) == {field.name for field in fields(Plan)}
