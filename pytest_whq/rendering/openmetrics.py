"""The metrics as OpenMetrics text, such as a GitLab metrics report and Prometheus read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from pytest_whq.footprint.footprint import Quantities, footprint_of
from pytest_whq.model import METRICS, BudgetVerdict, Comparison, Record, Run
from pytest_whq.model.metrics import Unit
from pytest_whq.rendering.words import device_names, one_line


def render(run: Run) -> str:
    """Gauges of each metric of `METRICS`, with a sample for each test where it stands, and of the verdicts.

    What was measured and when stands in `whq_run_info`: a commit that labels each sample would leave none
    that another run has, too.
    """
    records = [(record, _labels_of(record, run)) for record in run.records]
    lines = list(_run_info(run)) if records else []
    for metric in METRICS:
        samples = (
            (labels, record.measurement.metric(metric))
            for record, labels in records
            if record.measurement.why_invalid(metric) is None
        )
        lines += _gauge(metric, explained(metric), samples)
    return "\n".join([*lines, *_budgets(run), *_comparisons(run), *_footprint(run), "# EOF", ""])


_Labels = dict[str, str]
_Samples = Iterable[tuple[_Labels, float | None]]


def _gauge(name: str, said: str, samples: _Samples) -> Iterator[str]:
    """The lines of a gauge; none where no sample has a value."""
    lines = [f"whq_{name}{_written(labels)} {value!r}" for labels, value in samples if value is not None]
    if lines:
        yield from (f"# TYPE whq_{name} gauge", f"# HELP whq_{name} {said}", *lines)


def _info(name: str, said: str, samples: Iterable[_Labels]) -> Iterator[str]:
    """The lines of what has no value but its labels; none where there is no sample."""
    lines = [f"whq_{name}_info{_written(labels)} 1" for labels in samples]
    if lines:
        yield from (f"# TYPE whq_{name} info", f"# HELP whq_{name} {said}", *lines)


def _written(labels: _Labels) -> str:
    pairs = (f'{name}="{_label(value)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}"


def _run_info(run: Run) -> Iterator[str]:
    commit, rig = run.commit, run.rig
    labels = {"tool": run.tool, "created": run.created, "source": rig.source or ""}
    labels |= {"device": device_names(rig.devices), "driver": rig.driver or "", "scope": rig.scope or ""}
    if commit is not None:
        labels |= {"commit": commit.id, "branch": commit.branch or "", "dirty": str(commit.dirty).lower()}
    yield from _info("run", "What was measured, with what and when.", [labels])


def _labels_of(record: Record, run: Run) -> _Labels:
    """What tells a test's samples from others: it, and how its figures were made."""
    rig = run.rig.of_devices(record.measurement.device_ids)
    estimated = str(record.measurement.has("estimated")).lower()
    method = record.measurement.method or ""
    names = {"device": device_names(rig.devices), "source": rig.source or "", "method": method}
    return {"test": record.test, **names, "estimated": estimated}


def _budgets(run: Run) -> Iterator[str]:
    found = [
        ({"test": record.test, "metric": verdict.metric, "from": verdict.origin}, verdict)
        for record in run.records
        for verdict in record.budgets
    ]
    yield from _gauge("budget_limit", "The most that the metric may be, in its unit.", _by(found, "limit"))
    yield from _gauge("budget_failing", "1 where it is exceeded or unmeasured, else 0.", _flags(found))


def _comparisons(run: Run) -> Iterator[str]:
    found = [
        ({"test": record.test, "metric": compared.metric}, compared)
        for record in run.records
        if (compared := record.comparison) is not None
    ]
    yield from _gauge("baseline", "The metric in the accepted runs, in its unit.", _by(found, "baseline"))
    yield from _gauge("change_ratio", "The metric over its baseline, less 1.", _by(found, "change"))
    yield from _gauge("change_limit_ratio", "The largest change that is allowed.", _by(found, "limit"))
    yield from _gauge("comparison_failing", "1 where it regressed or a policy fails it.", _flags(found))
    outcomes = [{**labels, "outcome": compared.outcome} for labels, compared in found]
    yield from _info("comparison", "What the comparison with the baseline said.", outcomes)


def _by(things: Sequence[tuple[_Labels, BudgetVerdict | Comparison]], name: str) -> _Samples:
    return [(labels, getattr(thing, name)) for labels, thing in things]


def _flags(things: Sequence[tuple[_Labels, BudgetVerdict | Comparison]]) -> _Samples:
    return [(labels, float(thing.fails)) for labels, thing in things]


def explained(metric: str) -> str:
    """What a metric is, in one sentence."""
    row = METRICS[metric]
    per = f"{row.items:,} {row.per}s" if row.items > 1 else row.per
    told = {
        "query": "per query that succeeded",
        "second": "on average while measured",
        "whole": "of all measured windows",
        "token": f"per {per}, input and output",
    }
    idle = "included" if row.joules == "gross" else "taken off"
    return f"{_UNITS[row.unit]} {told.get(row.per, f'per {per}')}, idle draw {idle}."


_UNITS: Mapping[Unit, str] = {"Wh": "Watt-hours", "J": "Joules", "W": "Watts"}


def _footprint(run: Run) -> Iterator[str]:
    """Gauges of grams and money where the run's place has a grid and a price."""
    place = run.place
    if place is None:
        return
    found = {record.test: footprint_of(record.measurement, place) for record in run.records}
    if place.grid is not None:
        grid = {"grid": place.grid.name or place.grid.source}
        amounts = {test: one.gco2e for test, one in found.items()}
        yield from _amounts("gco2e_g", "grams of CO2 equivalents", grid, amounts)
    if place.price is not None:
        currency = {"currency": place.price.currency}
        costs = {test: one.cost for test, one in found.items()}
        yield from _amounts("cost", "price of the electricity", currency, costs)


def _amounts(name: str, said: str, of: _Labels, amounts: Mapping[str, Quantities | None]) -> Iterator[str]:
    for field in fields(Quantities):
        what = field.name.replace("_", " ")
        samples = [({"test": test, **of}, getattr(one, field.name, None)) for test, one in amounts.items()]
        yield from _gauge(f"{name}_{field.name}", f"{said} {what}.", samples)


def _label(text: str) -> str:
    return one_line(text).replace("\\", r"\\").replace('"', r"\"")
