"""``whq import``: other tools' files as a run, shown as a table and kept where ``-o`` says."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli.console import add_file_to_write, complain
from pytest_whq.cli.import_options import refuse_idle_options
from pytest_whq.cli.period import PROMETHEUS, period_arguments, read_period
from pytest_whq.cli.power_logs import POWER, count_given, log_alone, log_arguments, with_log
from pytest_whq.cli.table import add_table, print_table, selection_of
from pytest_whq.errors import ImportedFileError, SettingError, did_you_mean
from pytest_whq.importing.kinds import KINDS, kind_named, names

if TYPE_CHECKING:
    from pytest_whq.importing.result import Result
    from pytest_whq.model import Run


def import_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq import`` takes."""
    parser.add_argument("kind", metavar="KIND", help=f"{', '.join((*names(), POWER, PROMETHEUS))}")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="its files, a power log, or the URL of a Prometheus"
    )
    what = "write the run to this file; makes its folder"
    add_file_to_write(parser, "-o", "--output", metavar="RUN", what=what)
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 where a figure raises a doubt or is not valid"
    )
    parser.add_argument(
        "--max-failed", metavar="N", help="so many queries may fail: 3, 1%% (0; of prometheus 1%%)"
    )
    modelling = parser.add_argument_group("modelled energy")
    modelling.add_argument("--power-table", metavar="FILE", type=Path, help="all-in power per GPU, as TOML")
    modelling.add_argument("--kw", metavar="KW", type=float, help="all-in kilowatts per GPU, of every result")
    modelling.add_argument(
        "--length-factor", metavar="F", type=float, help="what lengths are, as a share of ISL and OSL (0.9)"
    )
    modelling.add_argument("--hardware", metavar="NAME", help="the GPU, where the results do not tell it")
    modelling.add_argument("--gpus", metavar="N", type=int, help="how many, where the results do not tell it")
    log_arguments(parser)
    period_arguments(parser)
    add_table(parser)


def import_(options: argparse.Namespace) -> int:
    """Import files; 1 where --strict is given and a figure raises a doubt or is not valid."""
    from pytest_whq.importing.figures.readable import readable_part

    kind = options.kind if options.kind in (POWER, PROMETHEUS) else kind_named(options.kind)
    if kind is None:
        known = (*names(), POWER, PROMETHEUS)
        hint = did_you_mean(options.kind, known)
        raise SettingError(
            f"{options.kind} is no kind of results{hint}: whq import knows {', '.join(known)}."
        )
    _check_numbers(options)
    refuse_idle_options(kind, options)
    selection = selection_of(options, None if "=" in (options.columns or "") else options.columns)
    results, left_out, tool = _found(kind, options)
    for sentence in left_out:
        complain(sentence)
    if results and options.power is not None:
        results = with_log(results, options)
    run, unreadable = readable_part(_run(kind, tool, results, options))
    for sentence in unreadable:
        complain(sentence)
    if not run.records:
        raise ImportedFileError(f"No result of {tool} is left to import. Check the files and the KIND.")
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
    if kind == POWER:
        results, left_out = log_alone(options)
        return [_told(result, options) for result in results], left_out, "power log"
    return _results(kind, options)


def _run(kind: str, tool: str, results: "Sequence[Result]", options: argparse.Namespace) -> "Run":
    from pytest_whq.importing.figures.all_in_power import fixed_table, published_table, table_in
    from pytest_whq.importing.figures.run_making import Importing, run_of
    from pytest_whq.judging.max_failed import max_failed
    from pytest_whq.storing.stamp import TOOL, now

    # Of production some queries always fail: its figures stand where at most 1 % of them can be wrong.
    usual = "1%" if kind == PROMETHEUS else "0"
    most_failed = usual if options.max_failed is None else options.max_failed
    table = published_table() if options.power_table is None else table_in(options.power_table)
    return run_of(
        results,
        Importing(
            kind=kind,
            tool=f"{tool}, imported by {TOOL}",
            imported=now(),
            table=table if options.kw is None else fixed_table(options.kw),
            length_factor=options.length_factor,
            max_failed=max_failed("--max-failed", most_failed),
        ),
    )


def _check_numbers(options: argparse.Namespace) -> None:
    if options.kw is not None and not 0 < options.kw < 1000:
        raise SettingError(f"--kw must be kilowatts of one GPU, such as 2.1, not {options.kw:g}.")
    for name, least in (("gpus", 1), ("input_tokens", 0), ("output_tokens", 0)):
        if (given := getattr(options, name)) is not None:
            count_given(f"--{name.replace('_', '-')}", given, least)
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
    return [_told(result, options) for result in results], left_out, tool


def _told(result: "Result", options: argparse.Namespace) -> "Result":
    """``result`` with the hardware that the user tells where its file does not."""
    from dataclasses import replace

    from pytest_whq.importing.hardware import gpu_named

    setup = result.setup
    hardware = setup.hardware or gpu_named(options.hardware)
    return replace(result, setup=replace(setup, hardware=hardware, gpus=setup.gpus or options.gpus))


def _tell_doubts(run: "Run") -> bool:
    """Say how many figures raise doubts, and how many are not valid; whether any does or is."""
    doubted = [
        record for record in run.records if record.measurement.imported and record.measurement.imported.doubts
    ]
    if doubted:
        number = sum(
            len(record.measurement.imported.doubts) for record in doubted if record.measurement.imported
        )
        complain(f"{number:,} doubts about {len(doubted):,} of {len(run.records):,} figures (--strict)")
    invalid = sum(not record.measurement.valid for record in run.records)
    if invalid:
        complain(f"{invalid:,} of {len(run.records):,} figures are not valid (--strict)")
    return bool(doubted or invalid)
