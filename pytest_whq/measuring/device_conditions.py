"""What the devices said of themselves around the spans, as warnings on the figure. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from pytest_whq.model import DeviceState, Reason

THROTTLES = frozenset(
    {"hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"}
)
"""Clocks event reasons that make the same call cost another energy; a power cap is normal at full load."""

_WARMING_C = 10.0
"""A device that warms by more while it is measured draws noticeably more at the end (leakage)."""


def state_reasons(states: Sequence[DeviceState], names: Mapping[str, str]) -> Iterator[Reason]:
    """The warnings that ``states``, in the order of their times, give; ``names`` is of devices by id."""
    yield from _throttled(states, names)
    yield from _shared(states, names)
    yield from _warmed(states, names)


def _throttled(states: Sequence[DeviceState], names: Mapping[str, str]) -> Iterator[Reason]:
    seen = {
        (state.device_id, reason): None
        for state in states
        for reason in state.clocks_event_reasons or ()
        if reason in THROTTLES
    }
    if seen:
        what = ", ".join(f"{reason} on {names.get(id_, id_)}" for id_, reason in seen)
        yield Reason("throttled", f"clocks were cut while the window was open: {what}")


def _shared(states: Sequence[DeviceState], names: Mapping[str, str]) -> Iterator[Reason]:
    others: dict[str, int] = {}
    for state in states:
        if state.other_processes:
            others[state.device_id] = max(state.other_processes, others.get(state.device_id, 0))
    if others:
        what = ", ".join(f"{count} on {names.get(id_, id_)}" for id_, count in others.items())
        yield Reason(
            "shared_device",
            f"other processes use the device ({what}), and what they draw is counted: "
            "right for a server under test, wrong for anything else",
        )


def _warmed(states: Sequence[DeviceState], names: Mapping[str, str]) -> Iterator[Reason]:
    first_c: dict[str, float] = {}
    for state in states:
        if state.temperature_c is None:
            continue
        rise_c = state.temperature_c - first_c.setdefault(state.device_id, state.temperature_c)
        if rise_c > _WARMING_C:
            name = names.get(state.device_id, state.device_id)
            yield Reason("thermal_drift", f"{name} warmed by {rise_c:.0f} °C while it was measured")
            return
