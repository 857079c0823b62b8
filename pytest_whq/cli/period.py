"""``whq import prometheus``: a period of production as a run."""

import argparse
import re
from typing import TYPE_CHECKING

from pytest_whq.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    from pytest_whq.importing.result import Result
    from pytest_whq.joules.spans import Span
    from pytest_whq.scraping.prometheus import Prometheus

PROMETHEUS = "prometheus"
"""The kind whose "file" is the address of a Prometheus."""

_HOUR_S = 3600.0
_MOST_HOURS = 10_000
"""A year has 8,784: far more would not fit a run file, nor the memory that each series takes."""

_PATIENCE_S = 60.0
"""A piece of a period may take a Prometheus so long."""


def period_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq import prometheus URL`` takes beside --start, --end, --queries and --by."""
    period = parser.add_argument_group(
        "a period of production (KIND prometheus)", "with --start, --end, --queries ENGINE, --by hour"
    )
    period.add_argument(
        "--energy", metavar="PRESET", help="which series are energy: dcgm (default), amd, a metric"
    )


def read_period(options: argparse.Namespace) -> "list[Result]":
    """A result for the period, or for each hour of it; SettingError, SourceError."""
    from pytest_whq.importing.period.devices import DeviceTracks
    from pytest_whq.importing.period.engines import UP, EngineTracks
    from pytest_whq.importing.period.reading import first_that_matches, read_through
    from pytest_whq.importing.period.results import Period
    from pytest_whq.servers.engines import ENGINES
    from pytest_whq.sources.remote.series import selectors_from, unit_of

    server, span = _server(options.files), _span(options)
    windows = _windows(span, options.by)
    engine, labels = _engine(options.queries)
    selector = first_that_matches(server, selectors_from(options.energy, "--energy"), span)
    devices = DeviceTracks(selector, unit_of(selector, "--energy"), windows)
    read_through(server, selector, span, devices.add)
    engines = EngineTracks(ENGINES[engine], windows)
    names = "|".join((*sorted(ENGINES[engine].counted), UP))
    matching = f'{{__name__=~"{names}"{labels}}}'
    first_that_matches(server, [matching.replace(f'|{UP}"', '"')], span)
    read_through(server, matching, span, engines.add)
    engines.finish()
    return Period(devices, engines).results()


def _server(urls: list[str]) -> "Prometheus":
    from pytest_whq.scraping.address import address_from
    from pytest_whq.scraping.prometheus import Prometheus, with_token

    if len(urls) > 1:
        raise SettingError("whq import prometheus takes one address.")
    return Prometheus(with_token(address_from("whq import prometheus", urls[0])), _PATIENCE_S)


def _span(options: argparse.Namespace) -> "Span":
    from pytest_whq.importing.power.clock import moment_given, offset_given
    from pytest_whq.joules.spans import Span

    if options.start is None or options.end is None:
        raise SettingError("whq import prometheus needs --start and --end of the period.")
    offset_s = None if options.utc_offset is None else offset_given(options.utc_offset)
    start_s, end_s = (
        moment_given(text, option, offset_s)
        for text, option in ((options.start, "--start"), (options.end, "--end"))
    )
    if end_s <= start_s:
        raise SettingError("--end must be after --start.")
    return Span(start_s, end_s)


def _windows(span: "Span", by: list[str]) -> "list[Span]":
    """The whole period, or its hours, which begin when those of UTC do."""
    from pytest_whq.joules.spans import Span

    if not by:
        return [span]
    if by != ["hour"]:
        raise SettingError(f"--by of a period must be hour, not {', '.join(by)}.")
    if span.duration_s > _MOST_HOURS * _HOUR_S:
        raise SettingError(
            f"The period has more than {_MOST_HOURS:,} hours, the most that --by hour tells apart: "
            "import it in parts."
        )
    edges_s = [span.start_s]
    while (next_s := (edges_s[-1] // _HOUR_S + 1) * _HOUR_S) < span.end_s:
        edges_s.append(next_s)
    return [Span(*pair) for pair in zip(edges_s, [*edges_s[1:], span.end_s], strict=True)]


def _engine(text: str | None) -> tuple[str, str]:
    """The engine of ``--queries ENGINE{labels}``, and its labels, to stand after others."""
    from pytest_whq.servers.engines import ENGINES

    found = re.fullmatch(r"\s*([a-zA-Z.-]+)\s*(?:\{([^{}]*)\})?\s*", text or "")
    name = found[1].lower() if found is not None else ""
    if found is None or name not in ENGINES:
        hint = did_you_mean(name, ENGINES) if name else ""
        raise SettingError(
            f"whq import prometheus needs --queries with the engine that counts them{hint}: "
            f"{', '.join(ENGINES)}, with labels in braces where need be."
        )
    labels = (found[2] or "").strip().strip(",")
    return name, f",{labels}" if labels else ""
