"""``whq import``: other tools' files as a run, shown as a table and kept where ``-o`` says."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli.console import complain, file_to_write
from pytest_whq.cli.period import PROMETHEUS, period_arguments, read_period
from pytest_whq.cli.table import add_table, print_table, selection_of
from pytest_whq.errors import ImportedFileError, SettingError, did_you_mean
from pytest_whq.importing.kinds import KINDS, kind_named, names

if TYPE_CHECKING:
    from pytest_whq.importing.power.log import PowerLog
    from pytest_whq.importing.power.metering import Meter
    from pytest_whq.importing.result import Result
    from pytest_whq.joules.spans import Span
    from pytest_whq.model import Run

_POWER = "power"


def import_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq import`` takes."""
    parser.add_argument("kind", metavar="KIND", help=f"{', '.join((*names(), _POWER, PROMETHEUS))}")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="its files, a power log, or the URL of a Prometheus"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="RUN",
        type=file_to_write,
        help="write the run to this file; makes its folder",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 where a figure raises a doubt")
    modelling = parser.add_argument_group("modelled energy")
    modelling.add_argument("--power-table", metavar="FILE", type=Path, help="all-in power per GPU, as TOML")
    modelling.add_argument("--kw", metavar="KW", type=float, help="all-in kilowatts per GPU, of every result")
    modelling.add_argument(
        "--length-factor", metavar="F", type=float, help="what lengths are, as a share of ISL and OSL (0.9)"
    )
    modelling.add_argument("--hardware", metavar="NAME", help="the GPU, where the results do not tell it")
    modelling.add_argument("--gpus", metavar="N", type=int, help="how many, where the results do not tell it")
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
    period_arguments(parser)
    add_table(parser)


def import_(options: argparse.Namespace) -> int:
    """Import files; 1 where --strict is given and a doubt is raised."""
    kind = options.kind if options.kind in (_POWER, PROMETHEUS) else kind_named(options.kind)
    if kind is None:
        known = (*names(), _POWER, PROMETHEUS)
        hint = did_you_mean(options.kind, known)
        raise SettingError(
            f"{options.kind} is no kind of results{hint}: whq import knows {', '.join(known)}."
        )
    selection = selection_of(options, None if "=" in (options.columns or "") else options.columns)
    results, left_out, tool = _found(kind, options)
    for sentence in left_out:
        complain(sentence)
    if not results:
        raise ImportedFileError(f"No result of {tool} is left to import. Check the files and the KIND.")
    run = _run(kind, tool, results, options)
    if options.output is not None:
        from pytest_whq.storing.files import make_folder_of
        from pytest_whq.storing.runfile import write_run

        make_folder_of(options.output)
        write_run(run, options.output)
    print_table(run, selection, options)
    return 1 if options.strict and _tell_doubts(run) else 0


def _found(kind: str, options: argparse.Namespace) -> "tuple[list[Result], list[str], str]":
    """The results, a sentence for what could not be used, and the name of the tool."""
    if kind == PROMETHEUS:
        return read_period(options), [], "Prometheus"
    return _power_alone(options) if kind == _POWER else _results(kind, options)


def _run(kind: str, tool: str, results: "Sequence[Result]", options: argparse.Namespace) -> "Run":
    from pytest_whq.importing.figures.all_in_power import fixed_table, published_table, table_in
    from pytest_whq.importing.figures.run_making import Importing, run_of
    from pytest_whq.storing.stamp import TOOL, now

    _check_numbers(options)
    table = published_table() if options.power_table is None else table_in(options.power_table)
    return run_of(
        results,
        Importing(
            kind=kind,
            tool=f"{tool}, imported by {TOOL}",
            imported=now(),
            table=table if options.kw is None else fixed_table(options.kw),
            length_factor=options.length_factor,
        ),
    )


def _check_numbers(options: argparse.Namespace) -> None:
    if options.kw is not None and not 0 < options.kw < 1000:
        raise SettingError(f"--kw must be kilowatts of one GPU, such as 2.1, not {options.kw:g}.")
    if options.gpus is not None and options.gpus < 1:
        raise SettingError(f"--gpus must be 1 or more, not {options.gpus}.")
    if options.length_factor is not None and not 0 < options.length_factor <= 1:
        raise SettingError(
            f"--length-factor must be above 0 and at most 1, such as 0.9, not {options.length_factor:g}."
        )


def _results(kind: str, options: argparse.Namespace) -> "tuple[list[Result], list[str], str]":
    from pytest_whq.importing.documents import documents_of

    results: list[Result] = []
    left_out: list[str] = []
    tool = KINDS[kind].what
    for path in map(Path, options.files):
        try:
            found = KINDS[kind](documents_of(path))
        except ImportedFileError as error:
            if len(options.files) == 1:
                raise
            left_out.append(str(error))
            continue
        results += found.results
        left_out += found.left_out
        tool = found.tool or tool
    results = [_told(result, options) for result in results]
    if options.power is not None:
        results = _with_power(results, options)
    return results, left_out, tool


def _told(result: "Result", options: argparse.Namespace) -> "Result":
    """``result`` with the hardware that the user tells where its file does not."""
    from dataclasses import replace

    from pytest_whq.importing.hardware import gpu_named

    setup = result.setup
    hardware = setup.hardware or gpu_named(options.hardware)
    return replace(result, setup=replace(setup, hardware=hardware, gpus=setup.gpus or options.gpus))


def _with_power(results: "list[Result]", options: argparse.Namespace) -> "list[Result]":
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


def _power_alone(options: argparse.Namespace) -> "tuple[list[Result], list[str], str]":
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
        return [_told(result, options) for result in results], list(table.left_out), "power log"
    queries = int(options.queries) if re.fullmatch(r"\s*\d+\s*", options.queries or "") else 0
    if queries < 1:
        raise SettingError("whq import power needs --start, --end and --queries, or --requests (see --help).")
    span = _span(options, None)
    tokens = options.input_tokens, options.output_tokens
    result = of_window(span, queries, tokens, _meter(log, [span], offset_s), choice)
    return [_told(result, options)], [], "power log"


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


def _tell_doubts(run: "Run") -> bool:
    """Say how many figures raise doubts; whether any does."""
    doubted = [
        record for record in run.records if record.measurement.imported and record.measurement.imported.doubts
    ]
    if doubted:
        number = sum(
            len(record.measurement.imported.doubts) for record in doubted if record.measurement.imported
        )
        complain(f"{number:,} doubts about {len(doubted):,} of {len(run.records):,} figures (--strict)")
    return bool(doubted)
