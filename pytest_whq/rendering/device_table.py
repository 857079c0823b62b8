"""What can be measured here, as text: a line for each device, then what cannot and why."""

from collections.abc import Sequence

from pytest_whq.calibrating.measurable import Listing, Measurable
from pytest_whq.model import CalibratedBoard
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import format_quantity


def render(listing: Listing, calibrated: Sequence[CalibratedBoard] = ()) -> str:
    """The devices with how they are measured, the problems, and what is measured by default.

    Of those that are ``calibrated`` as they are now it is said, and since when.
    """
    lines = aligned([_cells(measurable, calibrated) for measurable in listing.measurable])
    lines += [one_line(problem) for problem in listing.problems]
    return "\n".join([*lines, f"By default pytest measures {_default(listing)}."])


def _cells(measurable: Measurable, calibrated: Sequence[CalibratedBoard]) -> list[str]:
    number = "" if measurable.index is None else f" {measurable.index}"
    device = measurable.device
    how = ", ".join([*_how(measurable), *_calibrated(measurable, calibrated)])
    return [f"{measurable.source}{number}", devices_phrase([device]), one_line(device.id), how]


def _calibrated(measurable: Measurable, calibrated: Sequence[CalibratedBoard]) -> list[str]:
    if measurable.source != "nvml":
        return []
    own = (board for board in calibrated if board.is_of(measurable.driver, measurable.device))
    return [f"calibrated on {board.calibrated[:10]}" for board in own]


def _default(listing: Listing) -> str:
    default = [measurable for measurable in listing.measurable if measurable.by_default]
    sources = ", ".join(dict.fromkeys(measurable.source for measurable in default))
    return f"{devices_phrase([m.device for m in default])} ({sources})" if default else "nothing here"


def _how(measurable: Measurable) -> list[str]:
    first, *others = measurable.sensors
    if measurable.refresh_s is not None:
        first = f"{first} every {format_quantity(measurable.refresh_s, 's')}"
    return [first, *others]
