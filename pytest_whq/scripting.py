"""Measuring outside pytest: `session`, for scripts and notebooks."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_whq.calling.source_instruments import SourceInstruments, Teller
from pytest_whq.calling.whq import Whq
from pytest_whq.errors import RunFileError, SettingError, did_you_mean
from pytest_whq.git import current_commit
from pytest_whq.measuring.claim import WAIT_S
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.plan import PLAN_SETTINGS, Plan, planned
from pytest_whq.model import Record, Run
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.rendering.words import one_line
from pytest_whq.setting_values import seconds
from pytest_whq.sources.bounded import LIMIT_S
from pytest_whq.sources.offered import installed_offers
from pytest_whq.sources.roles import RolePattern, role_patterns
from pytest_whq.storing.files import make_folder_of
from pytest_whq.storing.known_boards import known_boards
from pytest_whq.storing.overwriting import why_kept
from pytest_whq.storing.runfile import write_run
from pytest_whq.storing.stamp import TOOL, now
from pytest_whq.tokens.tokenizer import load_tokenizer


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session measures with, and how; the names are those of the plugin's options."""

    source: str = "auto"
    devices: str | None = None
    prometheus_query: str | None = None
    roles: tuple[RolePattern, ...] = ()
    server: str | None = None
    driver_timeout_s: float = LIMIT_S
    wait_s: float = WAIT_S
    tokenizer: str | None = None
    plan: Plan = field(default_factory=Plan)

    @classmethod
    def of(cls, given: dict[str, Any]) -> "SessionSettings":
        """The settings that are ``given`` by their names; SettingError for one that cannot be."""
        for name in given:
            if name not in _SETTINGS and name not in PLAN_SETTINGS:
                hint = did_you_mean(name, [*_SETTINGS, *PLAN_SETTINGS])
                raise SettingError(f"session() has no setting {name!r}{hint}.")
        known = {name: value for name, value in given.items() if value is not None}
        plan = {name: parse(name, known[name]) for name, parse in PLAN_SETTINGS.items() if name in known}
        rest = {
            _SETTINGS[name][0]: _SETTINGS[name][1](name, known[name]) for name in _SETTINGS if name in known
        }
        return cls(**rest, plan=planned(Plan(), plan))


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingError(f"{where} must be a text, not {value!r}.")
    return value


def _roles(where: str, value: Any) -> tuple[RolePattern, ...]:
    return role_patterns([value] if isinstance(value, str) else value, where)


_SETTINGS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "source": ("source", _text),
    "devices": ("devices", lambda where, value: str(value)),
    "prometheus_query": ("prometheus_query", _text),
    "role": ("roles", _roles),
    "server": ("server", _text),
    "driver_timeout": ("driver_timeout_s", seconds(above_zero=True)),
    "wait": ("wait_s", seconds(above_zero=False)),
    "tokenizer": ("tokenizer", _text),
}
"""Setting -> the field of `SessionSettings` that it sets, and what takes it."""


class LogLines:
    """Says on standard error what a pytest session says in its log."""

    def show(self, text: str) -> None:
        """Nothing: a line that is taken back has no place in a log."""

    def say(self, text: str) -> None:
        """Write a line."""
        print(one_line(f"whq: {text}"), file=sys.stderr, flush=True)

    def show_progress(self, said: Callable[[], str], *, often: bool) -> None:
        """Nothing: the figure is told at the end."""


class Measuring:
    """Measures one thing outside pytest and makes a run of it."""

    def __init__(self, settings: SessionSettings, name: str, teller: Teller) -> None:
        self._name = name
        self._instruments = _ScriptInstruments(settings, teller)
        self._instruments.check()
        # Before anything runs: a tokenizer that is missing would be found by the first reply.
        _ = self._instruments.reader
        self.ledger = Ledger(self._instruments, settings.plan)

    def run(self, *, failed: bool = False, interrupted: bool = False) -> Run:
        """What was measured, as a run of one record, or of none."""
        records: Sequence[Record] = ()
        if self.ledger.has_measured:
            found = self.ledger.measurement
            records = [Record.outside_pytest(self._name, found, failed=failed, interrupted=interrupted)]
        return Run(now(), TOOL, current_commit(Path.cwd()), self._instruments.rig(), tuple(records))

    @property
    def fell_back(self) -> str | None:
        """Why ``auto`` came to an estimate, where it did."""
        return self._instruments.fell_back

    def close(self) -> None:
        """Give the source back."""
        self._instruments.close()


class _ScriptInstruments(SourceInstruments):
    def __init__(self, settings: SessionSettings, teller: Teller) -> None:
        super().__init__(settings, installed_offers, teller, known_boards)
        self._tokenizer = settings.tokenizer

    @cached_property
    def reader(self) -> ReplyReader:
        """The built-in readers, and the user's tokenizer."""
        named = self._tokenizer
        return ReplyReader(tokenizer=None if named is None else load_tokenizer(named, Path.cwd()))


@contextmanager
def session(*, json: str | Path | None = None, name: str | None = None, **settings: Any) -> Iterator[Whq]:
    """Measure in a script or notebook by what the fixture gives to a test.

    ``settings`` are those of the plugin by their names: ``source``, ``devices``, ``role``,
    ``prometheus_query``, ``server``, ``driver_timeout``, ``wait``, ``tokenizer``, ``rounds``, ``warmup``,
    ``min_seconds``, ``max_seconds``, ``precision``, ``idle_ok``, ``max_cached``; those of files do not
    count. At its end, also by an error, what was measured is written to the run file ``json`` as the record
    ``name``, else with the name of the script; its folder is made where it is missing. SettingError where a
    setting cannot be used, RunFileError where the file cannot be written, unless another error is under way.
    """
    if json is not None and (why := why_kept(Path(json), is_run=True)) is not None:
        raise SettingError(f"json cannot be {str(json)!r}: {why}.")
    measuring = Measuring(SessionSettings.of(settings), name or _own_name(), LogLines())
    try:
        yield Whq(measuring.ledger)
    except BaseException as error:
        try:
            _keep(measuring, json, error)
        except RunFileError as lost:  # The script's own error is the one to tell.
            error.add_note(f"pytest-whq: {lost}")
        raise
    else:
        _keep(measuring, json)
    finally:
        measuring.close()


def _keep(measuring: Measuring, json: str | Path | None, ended_by: BaseException | None = None) -> None:
    if json is not None and measuring.ledger.has_measured:
        make_folder_of(Path(json))
        interrupted = isinstance(ended_by, KeyboardInterrupt)
        write_run(measuring.run(failed=ended_by is not None, interrupted=interrupted), json)


def _own_name() -> str:
    """The name of the script that runs; ``session`` where there is none, as in a notebook."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path).name if path else "session"
