"""What was learned of the sensors of devices, as text."""

from collections.abc import Sequence

from pytest_whq.calibrating.calibration import Calibration, SensorCalibration
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import format_percent, format_quantity


def render(calibrations: Sequence[Calibration]) -> str:
    """For each device a table of its sensors, and in sentences what follows for windows."""
    return "\n\n".join("\n".join(_lines(calibration)) for calibration in calibrations)


def _lines(calibration: Calibration) -> list[str]:
    header = ["", "refreshes every", "looks back over", "a reading takes"]
    return [
        f"{devices_phrase([calibration.device])} ({one_line(calibration.device.id)})",
        *aligned([header, *map(_row, calibration.sensors)]),
        *_agreement(calibration),
        *_shortest(calibration),
        *_shown(calibration),
        _load(calibration),
    ]


def _row(sensor: SensorCalibration) -> list[str]:
    figures = (sensor.refresh_s, sensor.averaging_s, sensor.cost_s)
    return [one_line(sensor.sensor), *(_seconds(figure) for figure in figures)]


def _seconds(seconds: float | None) -> str:
    return "not seen" if seconds is None else format_quantity(seconds, "s")


def _agreement(calibration: Calibration) -> list[str]:
    since = "the load began" if calibration.load is not None else "some moment"
    found = [f"{one.counter_over_power:.3f} over {one.seconds:g} s" for one in calibration.agreement]
    return [f"Counter over integrated power, since {since}: {', '.join(found)}."] if found else []


def _shortest(calibration: Calibration) -> list[str]:
    if not calibration.shortest or calibration.idle_w is None or calibration.busy_w is None:
        return []
    found = [f"{_seconds(one.seconds)} for ± {format_percent(one.precision)}" for one in calibration.shortest]
    busy = format_quantity(calibration.busy_w, "W")
    level = busy if calibration.load is not None else f"{busy}, the power limit,"
    idle = format_quantity(calibration.idle_w, "W")
    return [f"Shortest window: {', '.join(found)} (95 %), at a steady {level} in it and {idle} around it."]


def _shown(calibration: Calibration) -> list[str]:
    if calibration.counter is None:
        return []
    sentences = [_COUNTERS[calibration.counter]]
    if calibration.settling_s is not None:
        low, high = (f"{constant_s * 1000:g}" for constant_s in calibration.settling_s)
        sentences.append(f"Power falls with a time constant of {low} to {high} ms.")
    return [" ".join(sentences)]


_COUNTERS = {
    "whole": "The counter sees all that is drawn.",
    "looks": "The counter is made of looks, which it takes for the whole.",
    "lags": "The counter lags.",
}


def _load(calibration: Calibration) -> str:
    if calibration.load is not None:
        return f"Load: {one_line(calibration.load)}."
    return (
        "Calibrated at idle only, which tells neither what a sensor looks back over nor whether a counter "
        "lags: a load needs torch with CUDA, which does not work here."
    )
