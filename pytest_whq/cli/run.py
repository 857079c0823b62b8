"""``whq run``: a whole command as one window, its exit code passed on."""

import argparse
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_whq.cli.console import add_table, arranged, as_terminal, complain, show_log
from pytest_whq.cli.outputs import add_reports, write_reports
from pytest_whq.errors import RunFileError, SettingError

if TYPE_CHECKING:
    from pytest_whq.model import Run


def run_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq run`` takes before its ``--``."""
    parser.usage = "whq run [-h] [-v] [options] -- COMMAND..."
    parser.add_argument(
        "--queries", metavar="N", default="1", help="how many queries the command answers (default: 1)"
    )
    parser.add_argument("--name", help="what the record is called; default: the command")
    parser.add_argument("--source", metavar="NAME", help="as --whq-source (default: auto)")
    parser.add_argument("--devices", metavar="LIST", help="as --whq-devices")
    parser.add_argument("--wait", metavar="S", help="as --whq-wait")
    parser.add_argument("--idle-ok", action="store_true", help="as --whq-idle-ok")
    add_table(parser)
    add_reports(parser)


def run(options: argparse.Namespace) -> int:
    """Measure a command, show what it took on standard error, and end as it did."""
    from pytest_whq.calling.whq import Whq
    from pytest_whq.scripting import LogLines, Measuring, SessionSettings
    from pytest_whq.setting_values import shown, whole_number
    from pytest_whq.storing.fields import LARGEST_COUNT

    command = options.after_dashes
    if not command:
        raise SettingError("whq run needs a command after --: whq run --queries 100 -- python bench.py")
    queries = whole_number(at_least=1)("--queries", options.queries)
    if queries > LARGEST_COUNT:
        raise SettingError(f"--queries cannot be {shown(options.queries)}: no command answers so many.")
    # Before the command, which may take hours.
    arranged(options)
    given = {name: getattr(options, name) for name in ("source", "devices", "wait")}
    settings = SessionSettings.of({**given, "idle_ok": options.idle_ok})
    measuring = Measuring(settings, options.name or shlex.join(command), LogLines())
    try:
        with Whq(measuring.ledger).measure() as window:
            code = _carried_out(command)
            assert window.meter is not None
            if code == 0:
                window.meter.tally.succeed_unread(queries)
                window.meter.tally.unreadable = "a whole command was measured, whose replies nobody read"
            else:
                window.meter.tally.fail(number=queries)
        found = measuring.run(failed=code != 0)
        for line in as_terminal(_without_tokens(found), options).splitlines():
            show_log(line)
        if measuring.fell_back is not None:
            complain(f"Energy is estimated from CPU time: {measuring.fell_back}")
        try:
            write_reports(found, options, show_log, sys.stderr)
        except RunFileError as error:  # The command has run: its exit code counts.
            complain(str(error))
    finally:
        measuring.close()
    return code


def _without_tokens(run: "Run") -> "Run":
    """``run`` without saying that a command tells no tokens, which is its nature and no lack."""
    from dataclasses import replace

    records = []
    for record in run.records:
        reasons = tuple(one for one in record.measurement.reasons if one.code != "tokens_missing")
        records.append(replace(record, measurement=replace(record.measurement, reasons=reasons)))
    return replace(run, records=tuple(records))


def _carried_out(command: list[str]) -> int:
    """Run ``command`` with this process's input and output; its exit code, as a shell tells it."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise SettingError(f"{command[0]} cannot be run ({error.strerror}).") from error
    # Ctrl-C reaches the command as well, which then ends as it likes.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
