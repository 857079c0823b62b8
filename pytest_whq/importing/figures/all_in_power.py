"""All-in watts per GPU, dated and with their source: what modelled energy is reckoned with."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_whq.errors import SettingError
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.model.imported import Modelled, Setup
from pytest_whq.storing.files import read_settings

_SHAPE = "Write sets as in docs/import.md: [[sets]] with from, source and watts = {H100 = 1730}."


@dataclass(frozen=True, slots=True)
class PowerSet:
    """Watts by GPU, valid from a day on."""

    valid_from: date
    source: str
    watts: dict[str, float]


@dataclass(frozen=True, slots=True)
class PowerTable:
    """Sets of all-in watts by their dates, or the same watts for every GPU."""

    sets: tuple[PowerSet, ...]
    fixed_w: float | None = None

    def set_for(self, day: date | None) -> PowerSet:
        """The set of ``day``; without a day the first, which is that of the article."""
        if day is None:
            return self.sets[0]
        valid = [one for one in self.sets if one.valid_from <= day]
        return valid[-1] if valid else self.sets[0]


@cache
def published_table() -> PowerTable:
    """The table of the data file beside this one."""
    text = (files("pytest_whq.importing.figures") / "all_in_power.toml").read_text("utf-8")
    return _table(tomllib.loads(text), "all_in_power.toml")


def fixed_table(kilowatts: float) -> PowerTable:
    """The same watts per GPU for every result, as ``--kw`` gives them."""
    return PowerTable((), kilowatts * 1000)


def table_in(path: Path) -> PowerTable:
    """The table of the user's own TOML file; SettingError where it is none."""
    try:
        data = tomllib.loads(read_settings(path, str(path)))
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not TOML ({error}). {_SHAPE}") from None
    return _table(data, str(path))


def _table(data: dict[str, Any], where: str) -> PowerTable:
    try:
        sets = [_set(entry) for entry in data["sets"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{where} is no table of all-in power ({error}). {_SHAPE}") from None
    if not sets:
        raise SettingError(f"{where} has no set of all-in power. {_SHAPE}")
    return PowerTable(tuple(sorted(sets, key=lambda one: one.valid_from)))


def _set(entry: dict[str, Any]) -> PowerSet:
    valid_from, watts = entry["from"], {}
    if type(valid_from) is not date:
        raise ValueError(f"from is {valid_from}, but must be a day such as 2026-07-14")
    for name, value in entry["watts"].items():
        if isinstance(value, bool) or not 0 < float(value) < 1e5:
            raise ValueError(f"{name} is {value}, but must be watts above 0")
        watts[gpu_named(name) or name] = float(value)
    return PowerSet(valid_from, str(entry["source"]), watts)


def modelled(setup: Setup, tokens_per_s_per_gpu: float | None, table: PowerTable) -> Modelled | str:
    """Joules of one query by all-in watts and throughput, or why there is no such figure.

    J/query = watts per GPU / tokens per second per GPU x tokens of a query.
    """
    tokens = setup.tokens_per_query
    if not tokens_per_s_per_gpu:
        return "the result tells no throughput per GPU"
    if not tokens:
        return "the result does not tell how many tokens a query has"
    if table.fixed_w is not None:
        return Modelled(table.fixed_w / tokens_per_s_per_gpu * tokens, table.fixed_w, "--kw")
    chosen = table.set_for(day_of(setup.date))
    watts = chosen.watts.get(setup.hardware or "")
    if watts is None:
        known = ", ".join(chosen.watts)
        unknown = setup.hardware or "which GPU it was"
        return f"the table of all-in power does not know {unknown} (it knows {known}; --kw gives another)"
    return Modelled(watts / tokens_per_s_per_gpu * tokens, watts, chosen.source)


def day_of(text: str | None) -> date | None:
    """The day at the start of ``text``, None where there is none."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None
