"""``whq import``: power logs, beside other tools' results or alone."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.errors import SettingError

if TYPE_CHECKING:
    from pytest_whq.importing.power.device_logs import PowerLog
    from pytest_whq.importing.power.metering import Meter
    from pytest_whq.importing.result import Result
    from pytest_whq.joules.spans import Span

POWER = "power"
"""The kind whose file is a power log alone."""


def log_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq import`` takes for logs."""
    power = parser.add_argument_group("power logs")
    power.add_argument("--power", metavar="LOG", type=Path, help="the power log recorded beside the results")
    power.add_argument("--devices", metavar="LIST", default="all", help="all (default), busy, or such as 0,1")
    power.add_argument("--utc-offset", metavar="H", help="of a log in local time: +9, -03:30")
    power.add_argument(
        "--log-start", metavar="TIME", help="when the first line of a log without times was written"
    )
    power.add_argument("--log-step", metavar="S", type=float, help="seconds between its lines of one device")
    power.add_argument("--start", metavar="TIME", help="of the window, where the result does not tell it")
    power.add_argument(
        "--end", metavar="TIME", help="of the window; default: --start and the result's duration"
    )
    alone = parser.add_argument_group("a power log alone (KIND power)")
    alone.add_argument("--queries", metavar="N", help="queries that succeeded in the window")
    alone.add_argument("--input-tokens", metavar="N", type=int, help="tokens of all queries")
    alone.add_argument("--output-tokens", metavar="N", type=int, help="tokens of all queries")
    alone.add_argument("--requests", metavar="CSV", type=Path, help="a line for each request, with its times")
    alone.add_argument(
        "--by", metavar="COLUMN", action="append", default=[], help="a record for each value of it"
    )
    alone.add_argument("--device-column", metavar="COLUMN", help="which holds the device of a request")


def with_log(results: "list[Result]", options: argparse.Namespace) -> "list[Result]":
    """The results with the energy of the log beside them, over their own windows or the one that is given."""
    from dataclasses import replace

    from pytest_whq.importing.power.metering import device_choice, metered

    choice = device_choice(options.devices)
    offset_s, log = _offset_s(options), _log(options.power, options)
    if options.start is not None:
        if len(results) > 1:
            raise SettingError("--start is of one result, and there are several: import them one by one.")
        results = [replace(results[0], span=_span(options, results[0].duration_s))]
    spans = [result.span for result in results if result.span is not None]
    if not spans:
        raise SettingError("The results do not tell when they ran: give --start, and --end, of the window.")
    meter = _meter(log, spans, offset_s)
    return [metered(result, meter, choice) for result in results]


def log_alone(options: argparse.Namespace) -> "tuple[list[Result], list[str]]":
    """The result of a log's window, or those of groups of requests; and what could not be used."""
    from pytest_whq.importing.power.alone import of_groups, of_window
    from pytest_whq.importing.power.metering import device_choice

    if len(options.files) > 1:
        raise SettingError("whq import power takes one log.")
    choice, offset_s = device_choice(options.devices), _offset_s(options)
    log = _log(Path(options.files[0]), options)
    if options.requests is not None:
        from pytest_whq.importing.power.requests_table import Asked, columns_given, read_groups

        given = columns_given(options.columns) if "=" in (options.columns or "") else {}
        table = read_groups(options.requests, Asked(tuple(options.by), options.device_column, given))
        results = of_groups(table, log, offset_s, choice)
        return results, list(table.left_out)
    if options.queries is None:
        raise SettingError("whq import power needs --start, --end and --queries, or --requests (see --help).")
    queries = count_given("--queries", options.queries, 1)
    span = _span(options, None)
    tokens = options.input_tokens, options.output_tokens
    return [of_window(span, queries, tokens, _meter(log, [span], offset_s), choice)], []


def count_given(option: str, given: str | int, least: int) -> int:
    """A whole number of the command line; SettingError where no run file could hold it."""
    from pytest_whq.storing.fields import LARGEST_COUNT

    try:
        if least <= (number := int(given)) <= LARGEST_COUNT:
            return number
    except ValueError:
        pass
    raise SettingError(f"{option} must be a whole number from {least} up to 2^53, not {given}.")


def _log(path: Path, options: argparse.Namespace) -> "PowerLog":
    from pytest_whq.importing.power.clock import moment_of
    from pytest_whq.importing.power.log import read_log

    start = None if options.log_start is None else moment_of(options.log_start)
    if options.log_start is not None and start is None:
        raise SettingError(
            f'--log-start must be a time such as "2026-06-11T04:54:39Z", not {options.log_start!r}.'
        )
    if options.log_step is not None and not options.log_step > 0:
        raise SettingError(f"--log-step must be seconds above 0, not {options.log_step:g}.")
    return read_log(path, start=start, step_s=options.log_step)


def _meter(log: "PowerLog", spans: "Sequence[Span]", offset_s: float | None) -> "Meter":
    from pytest_whq.importing.power.metering import meter_of

    return meter_of(log, spans, offset_s)


def _offset_s(options: argparse.Namespace) -> float | None:
    from pytest_whq.importing.power.clock import offset_given

    return None if options.utc_offset is None else offset_given(options.utc_offset)


def _span(options: argparse.Namespace, duration_s: float | None) -> "Span":
    """The window of --start and --end; without an end, as long as the result says."""
    from pytest_whq.importing.power.clock import moment_given
    from pytest_whq.joules.spans import Span

    if options.start is None or (options.end is None and duration_s is None):
        raise SettingError("Give --start and --end of the window.")
    offset_s = _offset_s(options)
    start_s = moment_given(options.start, "--start", offset_s)
    end_s = (
        start_s + (duration_s or 0.0) if options.end is None else moment_given(options.end, "--end", offset_s)
    )
    if end_s <= start_s:
        raise SettingError("--end must be after --start.")
    return Span(start_s, end_s)
