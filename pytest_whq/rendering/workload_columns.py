"""What the table of workloads says of a record: one column a row of a table, with its value and its text."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pytest_whq.model import Measurement, Record
from pytest_whq.model.imported import Setup
from pytest_whq.rendering.words import one_line
from pytest_whq.units import format_length, format_number, minutes, wh

Value = str | float | None

_PS5_W = 200.0
"""What a PlayStation 5 draws while somebody plays, as muxup reckons."""


class Column(NamedTuple):
    """A column: its heading, what stands in it as a value, and whether that is a number."""

    title: str
    value: Callable[[Record], Value]
    is_number: bool = True
    digits: int | None = None

    def text(self, record: Record) -> str:
        """The value as a cell shows it, empty where it is unknown."""
        value = self.value(record)
        if value is None:
            return ""
        if isinstance(value, str):
            return one_line(value)
        return format_number(value) if self.digits is None else fixed(value, self.digits)


def fixed(value: float, digits: int) -> str:
    """So many digits after the point, as the article prints; of smaller numbers the first two."""
    if value == 0 or abs(value) >= 10**-digits:
        return f"{value:,.{digits}f}"
    return format_number(float(f"{value:.2g}"))


def _setup(record: Record) -> Setup:
    imported = record.measurement.imported
    return Setup() if imported is None else imported.setup


def _of_setup(name: str) -> Callable[[Record], Value]:
    def value(record: Record) -> Value:
        found: Value = getattr(_setup(record), name)
        return found

    return value


def _of_imported(name: str) -> Callable[[Record], Value]:
    def value(record: Record) -> Value:
        found: Value = getattr(record.measurement.imported, name, None)
        return found

    return value


def workload(record: Record) -> str:
    """What was asked of what: model, precision and lengths, or the test where that is all there is."""
    setup = _setup(record)
    if setup.model is None:
        return record.test
    lengths = [setup.input_length, setup.output_length]
    told = "/".join("?" if one is None else format_length(one) for one in lengths) if any(lengths) else ""
    return " ".join(part for part in (setup.model.rpartition("/")[2], setup.precision, told) if part)


def _details(record: Record) -> str:
    setup, imported = _setup(record), record.measurement.imported
    if imported is None:
        return ""
    gpus = f"{setup.gpus:,} x {setup.hardware or 'GPU'}" if setup.gpus else setup.hardware
    parts = [gpus, setup.framework]
    parts += [f"conc {setup.concurrency:,}"] if setup.concurrency is not None else []
    parts += [f"{setup.rate_per_s:g}/s"] if setup.rate_per_s is not None else []
    if setup.prefill_gpus is not None and setup.decode_gpus is not None:
        parts.append(f"prefill {setup.prefill_gpus}, decode {setup.decode_gpus}")
    parts += [setup.speculative_decoding] if setup.speculative_decoding not in (None, "none") else []
    parts += [f"per {imported.query}"] if imported.query != "query" else []
    return ", ".join(part for part in parts if part)


def interactivity(record: Record) -> float | None:
    """Output tokens per second that one user sees, on average."""
    imported, spread = record.measurement.imported, record.measurement.distributions
    if imported is not None:
        return imported.means.interactivity
    times = None if spread is None else spread.tpot_s
    return 1 / times.mean if times is not None and times.mean else None


def _latency_s(record: Record) -> float | None:
    imported, spread = record.measurement.imported, record.measurement.distributions
    if imported is not None:
        return imported.means.latency_s
    return None if spread is None or spread.latency_s is None else spread.latency_s.mean


def headline(record: Record) -> float | None:
    """Watt-hours per query that stand, measured or modelled; None where none do."""
    return record.measurement.wh_per_query if record.measurement.why_unmeasured is None else None


def measured(record: Record) -> float | None:
    """Watt-hours per query that were measured, None where they are modelled or there are none."""
    return None if record.measurement.has("modelled") else headline(record)


def _minutes(record: Record) -> float | None:
    value = headline(record)
    return None if value is None else minutes(value, _PS5_W)


def _corrected(record: Record) -> float | None:
    return record.measurement.corrected_wh_per_query


def _role(role: str) -> Callable[[Record], Value]:
    def value(record: Record) -> Value:
        found: Measurement = record.measurement
        roles = () if found.imported is None else found.imported.roles
        return next((wh(one.energy_j) for one in roles if one.role == role), None)

    return value


def _doubts(record: Record) -> float | None:
    imported = record.measurement.imported
    return None if imported is None else float(len(imported.doubts))


COLUMNS: Mapping[str, Column] = {
    "workload": Column("Workload", workload, False),
    "interactivity": Column("Tokens/s/user", interactivity),
    "latency": Column("Latency, s", _latency_s),
    "details": Column("Details", _details, False),
    "measured": Column("Wh/query, measured", measured),
    "modelled": Column(
        "Wh/query, modelled", lambda record: record.measurement.modelled_wh_per_query, digits=2
    ),
    "corrected": Column("Wh/query, corrected", _corrected, digits=2),
    "ps5": Column("PS5 minutes", _minutes, digits=2),
    "doubts": Column("Doubts", _doubts, digits=0),
    "test": Column("Test", lambda record: record.test, False),
    "wh": Column("Wh/query", headline),
    "model": Column("Model", _of_setup("model"), False),
    "precision": Column("Precision", _of_setup("precision"), False),
    "framework": Column("Framework", _of_setup("framework"), False),
    "hardware": Column("Hardware", _of_setup("hardware"), False),
    "gpus": Column("GPUs", _of_setup("gpus"), digits=0),
    "conc": Column("Concurrency", _of_setup("concurrency"), digits=0),
    "isl": Column("ISL", _of_setup("input_length"), digits=0),
    "osl": Column("OSL", _of_setup("output_length"), digits=0),
    "spec": Column("Speculative", _of_setup("speculative_decoding"), False),
    "image": Column("Image", _of_setup("image"), False),
    "commit": Column("Commit", _of_setup("commit"), False),
    "date": Column("Date", _of_setup("date"), False),
    "tput": Column("Tokens/s/GPU", _of_imported("tokens_per_s_per_gpu")),
    "power": Column("W/GPU", _of_imported("power_w")),
    "prefill": Column("Prefill, Wh", _role("prefill")),
    "decode": Column("Decode, Wh", _role("decode")),
    "j_per_token": Column("J/token", lambda record: record.measurement.j_per_token),
    "j_per_output_token": Column("J/output token", lambda record: record.measurement.j_per_output_token),
    "why": Column("Not measured", lambda record: record.measurement.why_unmeasured, False),
}
"""Name -> column, those of the article first."""

SHOWN = (
    "workload",
    "interactivity",
    "latency",
    "details",
    "measured",
    "modelled",
    "corrected",
    "ps5",
    "doubts",
    "why",
)
"""The columns where none are asked for; those in which no row says anything are left out."""
