"""The charts of the HTML page as SVG, whose text stands around it as HTML and so keeps its size.

All SVG is stretched to the room that it gets: shapes are paths, whose strokes do not stretch, and a
dot is a line of no length with round ends. Nothing in it comes from outside but numbers.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pytest_whq.model import BudgetVerdict, Comparison, Measurement, PowerCurve
from pytest_whq.units import format_metric, format_quantity, format_seconds

_WIDTH, _HEIGHT = 1000, 100
_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def power_chart(curve: PowerCurve) -> str:
    """Watts over time, with the windows that were measured behind them."""
    top_w = _round_up(1.03 * max((watts for watts in curve.power_w if watts is not None), default=1.0))
    length_s = curve.end_s - curve.start_s
    along = _scale(curve.start_s, curve.end_s)
    windows = "".join(_box(along(begin_s), along(end_s)) for begin_s, end_s in curve.windows_s)
    shapes = [f'<path class="window" d="{windows}"/>', _line("grid", 0, _HEIGHT / 2, _WIDTH, _HEIGHT / 2)]
    shapes.append(f'<path class="watts" d="{_watts(curve.power_w, top_w)}"/>')
    legend = f"{_key('window', 'M0 0H12V10H0Z')}measured{_key('watts', 'M0 5H12')}all devices together"
    return _figure(
        "Power over time",
        shapes,
        legend,
        up=[format_quantity(share * top_w, "W") for share in (1.0, 0.5, 0.0)],
        along=[format_seconds(share * length_s) if share else "0 s" for share in (0.0, 0.5, 1.0)],
    )


def _watts(power_w: Sequence[float | None], top_w: float) -> str:
    """A line through the middle of each step, broken where the power is not known."""
    step = _WIDTH / len(power_w)
    parts, pen = [], "M"
    for number, watts in enumerate(power_w):
        if watts is None:
            pen = "M"
            continue
        parts.append(f"{pen}{(number + 0.5) * step:.0f} {_HEIGHT * (1 - watts / top_w):.1f}")
        pen = "L"
    return "".join(parts)


def rounds_chart(measurement: Measurement, comparison: Comparison | None) -> str:
    """Wh/query of each round, with its mean, its 95 % interval and the baseline; empty for one round."""
    values = [value for one in measurement.rounds if (value := one.wh_per_query) is not None]
    mean = measurement.wh_per_query
    if len(values) < 2 or mean is None:
        return ""
    interval = measurement.interval95.get("wh_per_query")
    baseline = None
    if comparison is not None and comparison.metric == "wh_per_query":
        baseline = comparison.baseline
    marks = [*values, *(interval or ()), *([] if baseline is None else [baseline])]
    low, high = min(marks), max(marks)
    margin = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
    along = _scale(low - margin, high + margin)
    shapes = []
    legend = f"{_key('dots', 'M6 5h.01')}a round{_key('mean', 'M6 0V10')}their mean"
    if interval is not None:
        left, right = (along(bound) for bound in interval)
        shapes.append(f'<path class="band" d="{_box(left, right)}"/>')
        legend += f"{_key('band', 'M0 0H12V10H0Z')}95 % interval"
    if baseline is not None:
        shapes.append(_line("base", along(baseline), 0, along(baseline), _HEIGHT))
        legend += f"{_key('base', 'M6 0V10')}baseline, {format_metric('wh_per_query', baseline)}"
    shapes.append(_line("mean", along(mean), 0, along(mean), _HEIGHT))
    dots = "".join(f"M{along(value)} {_spread(number):.0f}h.01" for number, value in enumerate(values))
    shapes.append(f'<path class="dots" d="{dots}"/>')
    ticks = (low - margin, (low + high) / 2, high + margin)
    return _figure(
        "Rounds, energy per query",
        shapes,
        legend,
        up=[],
        along=[format_metric("wh_per_query", tick) for tick in ticks],
    )


class Point(NamedTuple):
    """A value at a place along a chart, with half of its 95 % interval as a share of it, if known."""

    label: str
    value: float
    share: float | None


def points_chart(caption: str, points: Sequence[Point], write: Callable[[float], str]) -> str:
    """Values at evenly spaced places, joined by a line, on a scale that begins at zero."""
    top = _round_up(max(point.value * (1 + (point.share or 0.0)) for point in points))
    # Half a step on either side, so that each point stands above the middle of its label.
    places = [_WIDTH * (number + 0.5) / len(points) for number in range(len(points))]
    along = list(zip(places, points, strict=True))

    def up(value: float) -> str:
        return f"{_HEIGHT * (1 - value / top):.1f}"

    whiskers = "".join(
        f"M{x:.1f} {up(point.value * (1 - point.share))}V{up(point.value * (1 + point.share))}"
        for x, point in along
        if point.share is not None
    )
    shapes = [_line("grid", 0, _HEIGHT / 2, _WIDTH, _HEIGHT / 2)]
    shapes.append(f'<path class="watts" d="M{"L".join(f"{x:.1f} {up(p.value)}" for x, p in along)}"/>')
    shapes += [f'<path class="error" d="{whiskers}"/>'] if whiskers else []
    shapes.append(f'<path class="dots" d="{"".join(f"M{x:.1f} {up(p.value)}h.01" for x, p in along)}"/>')
    legend = f"{_key('error', 'M6 0V10')}95 % interval" if whiskers else ""
    return _figure(
        caption,
        shapes,
        legend,
        up=[write(share * top) for share in (1.0, 0.5, 0.0)],
        along=[point.label for point in points],
        even=True,
    )


def _spread(number: int) -> float:
    """How far down the dot of a round is: dots of like rounds lie apart, by the golden ratio."""
    return _HEIGHT * (0.15 + 0.7 * ((number * 0.618034) % 1.0))


def change_mark(comparison: Comparison, reach: float) -> str:
    """The change with its 95 % interval, on a scale of ``reach`` to both sides; empty where it is unknown."""
    if comparison.change is None:
        return ""

    def along(change: float) -> str:
        return f"{60 + 54 * max(-1.0, min(1.0, change / reach)):.1f}"

    low, high = comparison.interval95 or (comparison.change, comparison.change)
    limit = ""
    if comparison.limit is not None and comparison.limit < reach:
        limit = f'<path class="limit" d="M{along(comparison.limit)} 1V15"/>'
    return (
        '<svg width="120" height="16" aria-hidden="true"><path class="zero" d="M60 1V15"/>'
        f'{limit}<path class="whisker" d="M{along(low)} 8H{along(high)}"/>'
        f'<path class="point" d="M{along(comparison.change)} 8h.01"/></svg>'
    )


def reach_of(comparisons: Iterable[Comparison]) -> float:
    """A scale for `change_mark` that shows all but the wildest of the comparisons."""
    bounds = [abs(bound) for comparison in comparisons for bound in comparison.interval95 or ()]
    return min(0.4, max(0.1, *bounds)) if bounds else 0.1


def budget_bar(verdict: BudgetVerdict) -> str:
    """How much of a budget is used, full where it is exceeded; empty where that is not known."""
    if verdict.value is None or not verdict.limit:
        return ""
    used = 2 + 96 * max(0.0, min(1.0, verdict.value / verdict.limit))
    return (
        '<svg width="100" height="6" aria-hidden="true"><path class="track" d="M2 3H98"/>'
        f'<path class="used" d="M2 3H{used:.0f}"/></svg>'
    )


def _figure(
    caption: str,
    shapes: Iterable[str],
    legend: str,
    up: Sequence[str],
    along: Sequence[str],
    *,
    even: bool = False,
) -> str:
    """A chart with its labels; those ``along`` it stand from end to end or, if ``even``, in as many parts."""
    return (
        f'<figure><figcaption>{caption}</figcaption><div class="plot"><div class="up">{_spans(up)}</div>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{caption}">'
        f'{"".join(shapes)}</svg><div class="along{" even" if even else ""}">{_spans(along)}</div></div>'
        f'<p class="legend">{legend}</p></figure>'
    )


def _spans(texts: Iterable[str]) -> str:
    return "".join(f"<span>{text}</span>" for text in texts)


def _key(kind: str, path: str) -> str:
    return f'<svg width="12" height="10" aria-hidden="true"><path class="{kind}" d="{path}"/></svg>'


def _box(left: float, right: float) -> str:
    return f"M{left} 0H{right}V{_HEIGHT}H{left}Z"


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="{kind}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>'


def _scale(low: float, high: float) -> Callable[[float], float]:
    """A function from values between ``low`` and ``high`` to places along a chart."""
    return lambda value: round(_WIDTH * (value - low) / (high - low), 1)


def _round_up(value: float) -> float:
    """The next number from ``value`` up that looks good at the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((nice * power for nice in _NICE if nice * power >= value), 10 * power)
