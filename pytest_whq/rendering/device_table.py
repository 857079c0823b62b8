"""What can be measured here, as text: a line for each device, then what cannot and why."""

from pytest_whq.calibrating.measurable import Listing, Measurable
from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import format_quantity


def render(listing: Listing) -> str:
    """The devices with how they are measured, the problems, and what is measured by default."""
    lines = aligned([_cells(measurable) for measurable in listing.measurable])
    lines += [one_line(problem) for problem in listing.problems]
    return "\n".join([*lines, f"By default pytest measures {_default(listing)}."])


def _cells(measurable: Measurable) -> list[str]:
    number = "" if measurable.index is None else f" {measurable.index}"
    device = measurable.device
    return [f"{measurable.source}{number}", devices_phrase([device]), one_line(device.id), _how(measurable)]


def _default(listing: Listing) -> str:
    default = [measurable for measurable in listing.measurable if measurable.by_default]
    sources = ", ".join(dict.fromkeys(measurable.source for measurable in default))
    return f"{devices_phrase([m.device for m in default])} ({sources})" if default else "nothing here"


def _how(measurable: Measurable) -> str:
    first, *others = measurable.sensors
    if measurable.refresh_s is not None:
        first = f"{first} every {format_quantity(measurable.refresh_s, 's')}"
    return ", ".join([first, *others])
