"""What the user set, read once: marker over option over ini."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
from pytest_whq.judging.policies import WHERE_NAMED, Policies, policies_from
from pytest_whq.judging.regressions import Limit
from pytest_whq.judging.run_noise import RUN_NOISE, Noise
from pytest_whq.measuring.claim import WAIT_S
from pytest_whq.measuring.plan import PLAN_SETTINGS, Plan, planned
from pytest_whq.model import Place
from pytest_whq.plugin.given import base_of, called, flag_of, parsed_of, text_of, value_of
from pytest_whq.plugin.paths import BUDGET_FILES, history_folder, path_of, reports_of
from pytest_whq.rendering.arrangement import Arrangement, arrangement
from pytest_whq.setting_values import run_name, seconds, share, whole_number
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
    ``baseline_named_by`` the setting that names it, None where it is the default; ``reports`` has the path of
    each report to write, by the name of its renderer, and ``save`` is the folder of the history.
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
    baseline_named_by: str | None
    update_baseline: bool
    limit: Limit
    noise: Noise
    remeasure: int
    policies: Policies
    reports: Mapping[str, Path]
    save: Path | None
    place: Place | None
    benchmark: bool
    arranged: Arrangement
    name: str | None
    only: bool
    skip: bool
    disable: bool

    @classmethod
    def of_session(cls, config: pytest.Config) -> "Settings":
        """Read options, ini settings and budget files; SettingError names what cannot be used."""
        caps = tuple(budget_from_cap(text) for text in value_of(config, "whq_max") or ())
        baseline = path_of(config, "whq_baseline") or config.rootpath / FILE_NAME
        settings = cls(
            enforce=flag_of(config, "whq_budget") or bool(caps),
            caps=caps,
            entries=_file_entries(config.rootpath),
            estimate=flag_of(config, "whq_estimate"),
            max_failed=parsed_of(config, "whq_max_failed", max_failed),
            source=_source(config),
            devices=text_of(config, "whq_devices"),
            prometheus_query=text_of(config, "whq_prometheus_query"),
            roles=role_patterns(value_of(config, "whq_role") or (), called(config, "whq_role")),
            server=text_of(config, "whq_server"),
            driver_timeout_s=parsed_of(config, "whq_driver_timeout", seconds(above_zero=True), LIMIT_S),
            wait_s=parsed_of(config, "whq_wait", seconds(above_zero=False), WAIT_S),
            tokenizer=_tokenizer(config),
            plan=_plan(config),
            baseline=baseline,
            baseline_named_by=called(config, "whq_baseline") if text_of(config, "whq_baseline") else None,
            update_baseline=flag_of(config, "whq_update_baseline"),
            limit=_limit(config),
            noise=Noise(
                parsed_of(config, "whq_run_noise", share, RUN_NOISE),
                parsed_of(config, "whq_other_boards", share, None),
            ),
            remeasure=parsed_of(config, "whq_remeasure", whole_number(at_least=0), 0),
            policies=_policies(config),
            reports=reports_of(config, baseline),
            save=history_folder(config),
            place=_place(config),
            benchmark=flag_of(config, "whq_benchmark"),
            arranged=arrangement(
                *(_named(config, f"whq_{name}") for name in ("columns", "sort", "group_by"))
            ),
            name=parsed_of(config, "whq_name", run_name),
            only=flag_of(config, "whq_only"),
            skip=flag_of(config, "whq_skip"),
            disable=flag_of(config, "whq_disable"),
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
        given = {}
        for name, value in mark.kwargs.items():
            if name not in PLAN_SETTINGS:
                raise SettingError(f"{where} has no {name!r}, only {', '.join(PLAN_SETTINGS)}.")
            given[name] = PLAN_SETTINGS[name](f"{where}: {name}", value)
        plan = planned(plan, given, lambda name, where=where: f"{where}: {name}")  # type: ignore[misc]
        _refuse_idle_keywords(item, mark, where)
    return plan


def _refuse_idle_keywords(item: pytest.Item, mark: pytest.Mark, where: str) -> None:
    """Refuse what a test's own marker says of calls and replies where none are seen."""
    # One of a class or module may be for its other tests.
    if mark not in item.own_markers or "whq" in getattr(item, "fixturenames", ()):
        return
    for name in mark.kwargs:
        if name in _OF_THE_FIXTURE:
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


def _source(config: pytest.Config) -> str:
    return text_of(config, "whq_source") or _AUTO


def _file_entries(folder: Path) -> tuple[BudgetEntry, ...]:
    entries: list[BudgetEntry] = []
    for name in BUDGET_FILES:
        if (folder / name).is_file():
            entries += parse_budgets(read_settings(folder / name, name), name)
    return tuple(entries)


def _named(config: pytest.Config, name: str) -> tuple[str, str | None]:
    return called(config, name), text_of(config, name)


def _tokenizer(config: pytest.Config) -> TokenizerSetting | None:
    name = "whq_tokenizer"
    text = text_of(config, name)
    return None if text is None else TokenizerSetting(called(config, name), text, base_of(config, name))


def _place(config: pytest.Config) -> Place | None:
    grid, price, pue = (text_of(config, f"whq_{name}") for name in ("grid", "price", "pue"))
    return read_place(grid, price, pue, lambda name: called(config, f"whq_{name}"))


def _plan(config: pytest.Config) -> Plan:
    given = {}
    for name, parse in PLAN_SETTINGS.items():
        option = f"whq_{name}"
        if (value := value_of(config, option)) is not None:
            given[name] = parse(called(config, option), value)
    return planned(Plan(), given, lambda name: called(config, f"whq_{name}"))


def _limit(config: pytest.Config) -> Limit:
    ratio = parsed_of(config, "whq_max_regression", share, None)
    return Limit() if ratio is None else Limit(ratio, called(config, "whq_max_regression"))


def _policies(config: pytest.Config) -> Policies:
    given = list(value_of(config, "whq_when") or ())
    if flag_of(config, "whq_fail_inconclusive"):
        given.append("inconclusive=fail")
    # Where the source is to be found, one that does not work is no news: another may.
    usual = Policies() if _source(config) == _AUTO else WHERE_NAMED
    return policies_from(given, called(config, "whq_when"), usual)


_AUTO = "auto"

_OF_THE_FIXTURE = frozenset({"rounds", "warmup", "min_seconds", "max_seconds", "max_cached"})
"""What only its calls heed, or needs their replies."""
