"""The records as comma-separated values: a header, then a line for each test, in the order they ran."""

import csv
from collections.abc import Iterator
from io import StringIO

from pytest_whq.footprint.footprint import footprint_of
from pytest_whq.model import METRICS, Measurement, Place, Record, Run
from pytest_whq.rendering.words import one_line, tightest_budget

_Cell = str | float | None


def render(run: Run) -> str:
    """The table of ``run``; numbers in the unit of their column's name, unknown ones empty.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = StringIO()
    # All text in quotes: whatever a spreadsheet takes for a separator, it finds none inside.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows([guarded(cell) for cell in _cells(record, run)] for record in run.records)
    return text.getvalue()


_TIMES = ("ttft", "tpot", "latency")
_PERCENTILES = ("p50", "p99")
_AMOUNTS = ("per_query", "per_million_queries", "per_million_output_tokens")
_FOOTPRINT = (
    *(f"{what}_{amount}" for what in ("gco2e_g", "cost") for amount in _AMOUNTS),
    *("currency", "price_per_kwh", "price_year", "price_source", "pue", "pue_year", "pue_source"),
    *("grid", "grid_g_per_kwh", "grid_year", "grid_source", "grid_basis"),
)

_HEADER = (
    *("test", "outcome", "valid", "reasons", "source", "method", "scope", "devices"),
    *("queries", "failed_queries"),
    *("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens"),
    *("rounds", "duration_s", "energy_j", "net_energy_j", "uncertainty_j"),
    *METRICS,
    *("wh_per_query_low95", "wh_per_query_high95"),
    *("prefill_j_per_input_token", "decode_j_per_output_token"),
    *("concurrency", "rate_per_s", "queries_per_s", "output_tokens_per_s"),
    *(f"{name}_{percentile}_s" for name in _TIMES for percentile in _PERCENTILES),
    *("budget_metric", "budget_limit", "budget_outcome"),
    *("compared_metric", "baseline", "change", "change_low95", "change_high95", "comparison"),
    *_FOOTPRINT,
    *("created", "commit", "branch", "host"),
)


def _cells(record: Record, run: Run) -> list[_Cell]:
    measurement, tokens, rig, commit = record.measurement, record.measurement.tokens, run.rig, run.commit
    low, high = measurement.interval95.get("wh_per_query", (None, None))
    budget, compared = tightest_budget(record.budgets), record.comparison
    change_low, change_high = (compared and compared.interval95) or (None, None)
    phases = measurement.phases
    reasons = " ".join(reason.code for reason in measurement.reasons)
    return [
        *(record.test, record.outcome, str(measurement.valid).lower(), reasons),
        *(rig.source, measurement.method, rig.scope, " + ".join(device.name for device in rig.devices)),
        *(measurement.queries, measurement.failed_queries),
        *(tokens.input_tokens, tokens.output_tokens, tokens.cached_input_tokens, tokens.reasoning_tokens),
        *(len(measurement.rounds), measurement.duration_s, measurement.energy_j),
        *(measurement.net_energy_j, None if measurement.is_modelled else measurement.uncertainty_j),
        *measurement.metrics.values(),
        *(low, high),
        *((phases.prefill.j_per_token, phases.decode.j_per_token) if phases else (None, None)),
        *_served(measurement),
        *((budget.metric, budget.limit, budget.outcome) if budget else (None, None, None)),
        *((compared.metric, compared.baseline, compared.change) if compared else (None, None, None)),
        *(change_low, change_high, compared.outcome if compared else None),
        *_footprint(measurement, run.place or Place()),
        run.created,
        *((commit.id, commit.branch) if commit else (None, None)),
        rig.host,
    ]


def _served(measurement: Measurement) -> Iterator[float | None]:
    load, distributions = measurement.load, measurement.distributions
    for name in ("concurrency", "rate_per_s", "queries_per_s", "output_tokens_per_s"):
        yield getattr(load, name, None)
    for name in _TIMES:
        times = getattr(distributions, f"{name}_s", None)
        for percentile in _PERCENTILES:
            yield getattr(times, percentile, None)


def _footprint(measurement: Measurement, place: Place) -> Iterator[_Cell]:
    found = footprint_of(measurement, place)
    for amounts in (found.gco2e, found.cost):
        yield from (getattr(amounts, amount, None) for amount in _AMOUNTS)
    for given, names in (
        (place.price, ("currency", "per_kwh", "year", "source")),
        (place.overhead, ("pue", "year", "source")),
        (place.grid, ("name", "g_per_kwh", "year", "source", "basis")),
    ):
        yield from (getattr(given, name, None) for name in names)


_BEGINS_A_FORMULA = tuple("=+-@＝＋－＠")


def guarded(cell: _Cell) -> _Cell:
    """``cell``, with an apostrophe in front of text that a spreadsheet would take for a formula."""
    if not isinstance(cell, str):
        return cell
    text = one_line(cell)
    return f"'{text}" if text.lstrip().startswith(_BEGINS_A_FORMULA) else text
