"""The live line of a long measurement, on a terminal that can take it back."""

import pytest

from pytest_whq.measuring.meter import Meter
from pytest_whq.units import format_percent, format_seconds

_SAVE, _RESTORE, _CLEAR = "\x1b7", "\x1b8", "\x1b[K"


def show_progress(config: pytest.Config, meter: Meter) -> None:
    """Show round, seconds and interval so far behind what pytest has written on the line."""
    width = meter.half_width95()
    interval = "" if width is None else f", ± {format_percent(width)}"
    show_line(config, f" round {len(meter.spans)}, {format_seconds(meter.elapsed_s)}{interval}")


def clear_progress(config: pytest.Config) -> None:
    """Take the live line back."""
    show_line(config, "")


def show_line(config: pytest.Config, text: str) -> None:
    """Show ``text`` there, in place of what this showed before."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty or config.get_verbosity() < 0:
        return
    writer = config.get_terminal_writer()
    room = writer.fullwidth - writer.width_of_current_line - 1
    if room > 0:
        # Written past the writer, which counts columns: pytest's own line stays as it thinks it is.
        writer._file.write(f"{_SAVE}{text[:room]}{_CLEAR}{_RESTORE}")
        writer.flush()
