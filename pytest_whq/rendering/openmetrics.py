"""The metrics as OpenMetrics text, such as a GitLab metrics report and Prometheus read."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from pytest_whq.footprint.footprint import Quantities, footprint_of
from pytest_whq.model import METRICS, Run
from pytest_whq.rendering.words import one_line


def render(run: Run) -> str:
    """A gauge for each metric of `METRICS`, with a sample for each test where it stands."""
    tests = [(_label(record.test), record.measurement) for record in run.records]
    lines = []
    for metric in METRICS:
        samples = [
            f'whq_{metric}{{test="{test}"}} {value!r}'
            for test, measurement in tests
            if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
        ]
        if samples:
            unit = METRICS[metric].unit
            lines += [f"# TYPE whq_{metric} gauge", f"# HELP whq_{metric} {metric} in {unit}.", *samples]
    return "\n".join([*lines, *_footprint(run), "# EOF", ""])


def _footprint(run: Run) -> Iterator[str]:
    """Gauges of grams and money where the run's place has a grid and a price."""
    place = run.place
    if place is None:
        return
    found = {_label(record.test): footprint_of(record.measurement, place) for record in run.records}
    if place.grid is not None:
        of, said = f'grid="{_label(place.grid.name or place.grid.source)}"', "grams of CO2 equivalents"
        yield from _gauges("gco2e_g", said, of, {test: one.gco2e for test, one in found.items()})
    if place.price is not None:
        of = f'currency="{_label(place.price.currency)}"'
        yield from _gauges(
            "cost", "price of the electricity", of, {test: one.cost for test, one in found.items()}
        )


def _gauges(name: str, said: str, label: str, amounts: Mapping[str, Quantities | None]) -> Iterator[str]:
    for field in fields(Quantities):
        samples = [
            f'whq_{name}_{field.name}{{test="{test}",{label}}} {value!r}'
            for test, one in amounts.items()
            if (value := getattr(one, field.name, None)) is not None
        ]
        if samples:
            what = field.name.replace("_", " ")
            yield f"# TYPE whq_{name}_{field.name} gauge"
            yield f"# HELP whq_{name}_{field.name} {said} {what}."
            yield from samples


def _label(text: str) -> str:
    return one_line(text).replace("\\", r"\\").replace('"', r"\"")
