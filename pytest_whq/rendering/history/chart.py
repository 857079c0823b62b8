"""The chart of a series: its points, its levels, and the budget and the baseline beside them."""

from collections.abc import Callable, Sequence
from itertools import groupby

from pytest_whq.history.series import Series
from pytest_whq.model import format_metric
from pytest_whq.rendering.webpage.charts import HEIGHT, WIDTH, Chart, Key, Mark, Shape
from pytest_whq.units import prefix_for

_MOST_DOTS = 120
"""Above this, points are a line: dots would lie upon one another."""

_REACH = 1.6
"""A budget further away than so many times the points is left out, or they would be a flat line."""


def series_chart(series: Series) -> Chart | None:
    """The chart of ``series``; None where there is one point or none."""
    values = series.values_wh
    if len(values) < 2:
        return None
    count = len(values)
    top = max(values)
    budgets = _near([point.budget_wh for point in series.points], top)
    baselines = _near([point.baseline_wh for point in series.points], top)
    known = [value for value in (*values, *budgets, *baselines) if value is not None]
    margin = (max(known) - min(known)) * 0.08 or max(known) * 0.05
    low, high = max(0.0, min(known) - margin), max(known) + margin
    step, scale = WIDTH / count, HEIGHT / (high - low)

    def up(value: float) -> str:
        return f"{HEIGHT - (value - low) * scale:.1f}"

    along = [f"{(number + 0.5) * step:.0f}" for number in range(count)]
    drawn = [
        ("limit", "M6 0V10", "budget", _steps(budgets, step, up)),
        ("base", "M6 0V10", "baseline", _steps(baselines, step, up)),
        _points(list(zip(along, map(up, values), strict=True))),
    ]
    if series.changes:
        levels = "".join(f"M{s * step:.1f} {up(v)}H{e * step:.1f}" for s, e, v in series.levels)
        upright = "".join(f"M{change.number * step:.1f} 0V{HEIGHT}" for change in series.changes)
        drawn += [("mean", "M0 5H12", "level", levels), ("shift", "M6 0V10", "change", upright)]
    shown = [one for one in drawn if one[3]]
    prefix = prefix_for([low, (low + high) / 2, high])
    return Chart(
        "Energy per query, run by run",
        tuple(Shape(kind, path) for kind, _, _, path in shown),
        tuple(Key(Mark(12, 10, (Shape(kind, key),)), text) for kind, key, text, _ in shown),
        up=tuple(format_metric("wh_per_query", value, prefix) for value in (high, (low + high) / 2, low)),
        along=_days(series),
    )


def _near(values: Sequence[float | None], top: float) -> list[float | None]:
    """The ``values`` less those that are too far from the points, few of which differ."""
    within = {value: _within(value, top) for value in set(values)}
    return [within[value] for value in values]


def _within(value: float | None, top: float) -> float | None:
    return None if value is None or not top / _REACH <= value <= top * _REACH else value


def _points(places: Sequence[tuple[str, str]]) -> tuple[str, str, str, str]:
    if len(places) > _MOST_DOTS:
        return "watts", "M0 5H12", "a run", f"M{'L'.join([f'{x} {y}' for x, y in places])}"
    return "dots", "M6 5h.01", "a run", "".join(f"M{x} {y}h.01" for x, y in places)


def _steps(values: Sequence[float | None], step: float, up: Callable[[float], str]) -> str:
    """A line along the values, broken where there is none: most stay as they are from run to run."""
    path, start = [], 0
    for value, same in groupby(values):
        length = len(list(same))
        if value is not None:
            path.append(f"M{start * step:.1f} {up(value)}H{(start + length) * step:.1f}")
        start += length
    return "".join(path)


def _days(series: Series) -> tuple[str, ...]:
    created = [run.created[:10] for run in series.runs]
    return tuple(dict.fromkeys((created[0], created[len(created) // 2], created[-1])))
