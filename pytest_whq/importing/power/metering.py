"""The energy of a benchmark from the power log beside it: over its own window, of the devices asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from pytest_whq.errors import SettingError
from pytest_whq.importing.power.clock import offset_that_fits, said_offset
from pytest_whq.importing.power.device_logs import PowerLog
from pytest_whq.importing.result import Result, ToolEnergy
from pytest_whq.joules.polled_power import PolledEnergy, Polling, polled_energy, polling_of
from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.units import format_quantity, format_seconds, wh

_BUSY = 1.5
"""Where the hungriest device draws less than this many times what the least hungry does, all are busy."""


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """Whose energy counts: ``all`` in the log, the ``busy`` ones, or those ``named``."""

    word: str
    named: tuple[str, ...] = ()


def device_choice(text: str) -> DeviceChoice:
    """What ``--devices`` means: ``all``, ``busy`` or a list of devices as the log names them."""
    if text in ("all", "busy"):
        return DeviceChoice(text)
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    if not named:
        raise SettingError('--devices must be "all", "busy" or a list such as 0,1.')
    return DeviceChoice("named", named)


@dataclass(frozen=True)
class Meter:
    """A log in UTC, with how each device was polled."""

    log: PowerLog
    pollings: dict[str, Polling]
    notes: tuple[str, ...]

    def energies(self, spans: Sequence[Span], devices: Sequence[str]) -> dict[str, PolledEnergy]:
        """Joules of each of ``devices`` in all of ``spans``; UnmeasurableError, which names the device."""
        return {device: self._energy(device, spans) for device in devices}

    def _energy(self, device: str, spans: Sequence[Span]) -> PolledEnergy:
        log, polling = self.log.devices[device], self.pollings[device]
        try:
            if not log.times_s:
                why = "the log tells no power of it; --devices may leave it out"
                raise UnmeasurableError("sample_gap", why)
            for start_s, end_s in log.ran_twice:
                if any(span.overlap_s(start_s, end_s) for span in spans):
                    raise UnmeasurableError("sample_gap", "the log's clock was set back in the window")
            found = [polled_energy(log.times_s, log.powers_w, span, polling) for span in spans]
        except UnmeasurableError as error:
            raise UnmeasurableError(error.reason.code, f"device {device}: {error}") from None
        return PolledEnergy(sum(one.energy_j for one in found), hypot(*(one.uncertainty_j for one in found)))


def meter_of(log: PowerLog, spans: Sequence[Span], offset_s: float | None) -> Meter:
    """The log as a meter; local times are moved by ``offset_s``, else by the one that fits ``spans``."""
    notes = list(log.notes)
    if log.is_local:
        if offset_s is None:
            offset_s = offset_that_fits(log.range_s, [(one.start_s, one.end_s) for one in spans], log.where)
            notes.append(
                f"the log's times have no zone: {said_offset(offset_s)} alone makes them cover the benchmark"
            )
        log = log.shifted(offset_s)
    pollings = {name: polling_of(device.times_s, device.powers_w) for name, device in log.devices.items()}
    notes += _polled(pollings)
    return Meter(log, pollings, tuple(notes))


def _polled(pollings: dict[str, Polling]) -> list[str]:
    slow = {name: one for name, one in pollings.items() if one.refresh_s > 1.2 * one.step_s}
    if not slow:
        return []
    refresh_s = max(one.refresh_s for one in slow.values())
    step_s = min(one.step_s for one in slow.values())
    refresh, step = format_seconds(refresh_s), format_seconds(step_s)
    said = f"the sensor shows a new value each {refresh}, and was polled each {step}"
    return [f"{said}: the uncertainty is that of its refresh"]


def metered(result: Result, meter: Meter, choice: DeviceChoice) -> Result:
    """``result`` with the energy of its window, or with why there is none."""
    if result.span is None:
        why = "the result does not tell when it ran: give --start and --end of its window for the power log"
        return replace(result, why_no_energy=why)
    devices = _chosen(meter, choice)
    try:
        energies = meter.energies([result.span], devices)
    except UnmeasurableError as error:
        return unmeasured(result, error, meter)
    counted, notes = _counted(energies, result.span, choice)
    return replace(
        result,
        energy=energy_of({device: energies[device] for device in counted}, result.span.duration_s),
        duration_s=result.span.duration_s,
        notes=(*result.notes, *meter.notes, *notes),
    )


def unmeasured(result: Result, error: UnmeasurableError, meter: Meter) -> Result:
    """``result`` with why the log does not tell its energy."""
    notes = (*result.notes, *meter.notes)
    return replace(result, why_no_energy=str(error), why_code=error.reason.code, notes=notes)


def energy_of(energies: dict[str, PolledEnergy], duration_s: float) -> ToolEnergy:
    """The energy of several devices together, as a power log tells it."""
    energy_j = sum(one.energy_j for one in energies.values())
    return ToolEnergy(
        method="power",
        scope="gpu",
        source="power log",
        energy_j=energy_j,
        uncertainty_j=hypot(*(one.uncertainty_j for one in energies.values())),
        power_w=energy_j / duration_s / len(energies),
        devices={device: one.energy_j for device, one in energies.items()},
    )


def _chosen(meter: Meter, choice: DeviceChoice) -> list[str]:
    there = list(meter.log.devices)
    if choice.word != "named":
        return there
    missing = [device for device in choice.named if device not in there]
    if missing:
        raise SettingError(
            f"--devices names {', '.join(missing)}, and {meter.log.where} has {', '.join(there)}. "
            "Name devices of the log."
        )
    return list(choice.named)


def _counted(
    energies: dict[str, PolledEnergy], span: Span, choice: DeviceChoice
) -> tuple[list[str], list[str]]:
    """The devices whose energy counts, and a note on those that stood idle."""
    watts = {device: one.energy_j / span.duration_s for device, one in energies.items()}
    low, high = min(watts.values()), max(watts.values())
    level = (low + high) / 2 if high > _BUSY * max(low, 1e-9) else 0.0
    idle = [device for device in watts if watts[device] < level]
    busy = [device for device in watts if watts[device] >= level]
    counted = busy if choice.word == "busy" else list(watts)
    if not idle:
        return counted, []
    idle_wh = wh(sum(energies[device].energy_j for device in idle))
    drew = f"{min(watts[one] for one in idle):.0f} to {max(watts[one] for one in idle):.0f} W each"
    said = f"{len(idle)} of {len(watts)} devices stood idle ({', '.join(idle)}; {drew})"
    done = "left out" if choice.word == "busy" else "counted (--devices busy leaves them out)"
    return counted, [f"{said}: their {format_quantity(idle_wh, 'Wh')} are {done}"]
