"""Columns of a metric, whose figures stand below one another in one unit."""

from collections.abc import Callable, Sequence

from pytest_whq.model import Measurement, format_metric
from pytest_whq.rendering.columns import Column, Thing
from pytest_whq.units import prefix_for


def metric_column(
    title: str, metric: str, things: Sequence[Thing], of: Callable[[Thing], Measurement | None]
) -> Column[Thing]:
    """What ``metric`` is for each of ``things``, empty where it is not known."""

    def value_of(thing: Thing) -> float | None:
        measurement = of(thing)
        return None if measurement is None else measurement.metric(metric)

    # mJ below J look larger.
    prefix = prefix_for([value for value in map(value_of, things) if value])

    def cell(thing: Thing) -> str:
        value = value_of(thing)
        return "" if value is None else format_metric(metric, value, prefix)

    return Column(title, cell)
