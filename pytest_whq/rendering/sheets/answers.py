"""The answers of a sheet in words, item by item: what every sheet for people says alike."""

from collections.abc import Iterator

from pytest_whq.footprint.left_out import WHOLE_SYSTEM
from pytest_whq.footprint.sheet import Lengths, Sheet, Workload
from pytest_whq.model import format_metric
from pytest_whq.rendering.places.words import grid_phrase, overhead_phrase
from pytest_whq.rendering.words import SCOPES, one_line
from pytest_whq.units import format_number, format_percent, format_quantity, format_seconds


def of_all(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Item and answer of what holds for the whole sheet; what is not known is not there."""
    if sheet.model:
        yield "model", one_line(sheet.model)
    if sheet.period.start is not None:
        start, measured_s = one_line(sheet.period.start), sheet.period.measured_s
        long = "how long is not told" if measured_s is None else f"{format_seconds(measured_s)} measured"
        yield "period", f"from {start} on, {long}"
    if sheet.hardware:
        yield (
            "hardware",
            " + ".join(
                f"{_number(one.number)}{one_line(one.name)}{_limit(one.power_limit_w)}"
                for one in sheet.hardware
            ),
        )
    if sheet.meter.scope is not None:
        yield "scope", SCOPES.get(sheet.meter.scope, one_line(sheet.meter.scope))
    if sheet.meter.scope in WHOLE_SYSTEM:
        yield "whole_system", "it is in the energy"
    if sheet.place.overhead is not None:
        yield "pue", overhead_phrase(sheet.place.overhead)
    if sheet.place.grid is not None and sheet.place.grid.name is not None:
        yield "place", grid_phrase(sheet.place.grid)


def _number(number: int | None) -> str:
    return "" if number is None else f"{number} x "


def _limit(power_limit_w: float | None) -> str:
    return "" if power_limit_w is None else f", {format_quantity(power_limit_w, 'W')} limit"


def of_workload(sheet: Sheet, load: Workload) -> Iterator[tuple[str, str]]:
    """Item and answer of one workload; what is not known is not there."""
    if load.requests is not None:
        yield "requests", f"{load.requests}"
    if load.failed_requests is not None:
        yield "failed_requests", f"{load.failed_requests}{_kinds(load)}"
    for item, lengths in (("input_lengths", load.input_tokens), ("output_lengths", load.output_tokens)):
        if (said := _lengths(lengths)) is not None:
            yield item, said
    if load.energy_wh is not None:
        yield "energy", f"{format_metric('wh_total', load.energy_wh)}{_power(load)}"
    if load.method is not None and sheet.meter.source is not None:
        # An estimate is both, and said once.
        how = " ".join(dict.fromkeys((one_line(sheet.meter.source), one_line(load.method))))
        yield "method", f"{how}, idle draw included"
    if load.wh_per_query is not None:
        yield "wh_per_query", format_metric("wh_per_query", load.wh_per_query)
    if load.wh_per_1k_tokens is not None:
        every = format_metric("wh_per_1k_tokens", load.wh_per_1k_tokens)
        output = format_metric("wh_per_1k_output_tokens", load.wh_per_1k_output_tokens)
        yield "wh_per_token", f"{every} per 1000 tokens, {output} per 1000 output tokens"
    if (said := _uncertainty(load)) is not None:
        yield "uncertainty", said


def _kinds(load: Workload) -> str:
    kinds = ", ".join(f"{number} {one_line(kind)}" for kind, number in load.failures.items())
    return f" ({kinds})" if kinds else ""


def _power(load: Workload) -> str:
    if load.average_power_w is None or load.duration_s is None:
        return ""
    power = format_metric("average_power_w", load.average_power_w)
    return f" in {format_seconds(load.duration_s)}, {power} on average"


def _lengths(lengths: Lengths) -> str | None:
    """The spread of lengths; None where only their mean is known, which hides what costs most."""
    if lengths.mean is None or lengths.p50 is None:
        return None
    spread = (("mean", lengths.mean), ("p50", lengths.p50), ("p90", lengths.p90), ("p99", lengths.p99))
    said = ", ".join(f"{name} {format_number(value)}" for name, value in spread if value is not None)
    return f"{said}, longest {format_number(lengths.max or 0.0)} tokens"


def _uncertainty(load: Workload) -> str | None:
    if load.wh_per_query_interval95 is not None:
        low, high = (format_metric("wh_per_query", end) for end in load.wh_per_query_interval95)
        return f"95 % interval {low} to {high} per query; the sensor's own calibration is not in it"
    if load.uncertainty is None:
        return None
    return (
        f"standard uncertainty {format_percent(load.uncertainty)}; the sensor's own calibration is not in it"
    )
