"""Which options of ``whq import`` say something of which files: others are refused, and not passed over."""

import argparse
from collections.abc import Iterator

from pytest_whq.cli.period import PROMETHEUS
from pytest_whq.cli.power_logs import POWER
from pytest_whq.errors import SettingError

_OF_LOG = ("devices", "log_start", "log_step")
_OF_WINDOW = ("queries", "start", "end", "input_tokens", "output_tokens")
_OF_GROUPS = ("by", "device_column")
_GROUPS = "the requests of a power log (KIND power, with --requests)"


def refuse_idle_options(kind: str, options: argparse.Namespace) -> None:
    """SettingError where an option is given that files of ``kind`` have no use for."""
    for names, use in _without_use(kind, options):
        for name in names:
            if getattr(options, name) not in (None, [], "all"):
                raise SettingError(f"--{name.replace('_', '-')} says nothing here: it is for {use}.")
    if "=" in (options.columns or "") and (kind != POWER or options.requests is None):
        raise SettingError(f"--columns of names and = says nothing here: it is for {_GROUPS}.")


def _without_use(kind: str, options: argparse.Namespace) -> Iterator[tuple[tuple[str, ...], str]]:
    """Options, and what they are for in place of the files at hand."""
    if kind == PROMETHEUS:
        yield ("power", *_OF_LOG), "a power log, and Prometheus tells the energy"
        yield ("input_tokens", "output_tokens"), "a power log alone (KIND power)"
        yield ("requests", "device_column"), _GROUPS
        yield ("hardware", "gpus"), "results that do not tell it, and Prometheus does"
    elif kind == POWER:
        yield ("energy",), "a period of production (KIND prometheus)"
        yield ("power",), "the results of a benchmark, and whq import power takes its log as FILE"
        yield ("gpus",), "results that do not tell it, and a log does: --devices chooses among them"
        if options.requests is None:
            yield _OF_GROUPS, _GROUPS
        else:
            yield _OF_WINDOW, "a power log without --requests, which tell it"
    else:
        yield ("energy",), "a period of production (KIND prometheus)"
        yield ("queries", "input_tokens", "output_tokens"), "a power log alone (KIND power)"
        yield ("requests", *_OF_GROUPS), _GROUPS
        if options.power is None:
            yield (
                (*_OF_LOG, "utc_offset", "start", "end"),
                "a power log, and there is none: give it with --power",
            )
