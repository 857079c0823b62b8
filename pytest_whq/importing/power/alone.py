"""A power log alone: P x T / N over a window, or for each group of a table of requests."""

from dataclasses import replace

from pytest_whq.errors import SettingError
from pytest_whq.importing.power.device_logs import PowerLog
from pytest_whq.importing.power.metering import DeviceChoice, Meter, energy_of, meter_of, metered, unmeasured
from pytest_whq.importing.power.requests_table import Group, Groups
from pytest_whq.importing.result import Result
from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.model.imported import Setup


def of_window(
    span: Span, queries: int, tokens: tuple[int | None, int | None], meter: Meter, choice: DeviceChoice
) -> Result:
    """The result of one window in which ``queries`` were answered."""
    result = Result(
        name="power",
        setup=_setup(queries, *tokens),
        queries=queries,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        span=span,
    )
    return _counted(metered(result, meter, choice))


def _counted(result: Result) -> Result:
    """``result`` with how many devices its energy is of: the log alone tells."""
    if result.energy is None:
        return result
    return replace(result, setup=replace(result.setup, gpus=len(result.energy.devices)))


def _setup(queries: int, given: int | None, made: int | None) -> Setup:
    lengths = [tokens / queries if tokens is not None and queries else None for tokens in (given, made)]
    return Setup(input_length=lengths[0], output_length=lengths[1])


def of_groups(table: Groups, log: PowerLog, offset_s: float | None, choice: DeviceChoice) -> list[Result]:
    """A result for each group, on the device that its requests name, else on those of ``choice``.

    Local times of both are ahead of UTC by ``offset_s``; SettingError where it is needed and None.
    """
    notes: tuple[str, ...] = ()
    if table.is_local and offset_s is None:
        if not log.is_local:
            raise SettingError(
                f"The times of {table.where} have no zone, and those of {log.where} do: give --utc-offset."
            )
        offset_s, notes = 0.0, ("neither requests nor log tell the zone of their times: it is taken as one",)
    table = table.shifted(offset_s or 0.0)
    meter = meter_of(log, [span for group in table.groups for span in group.spans], offset_s)
    results = (_counted(_of_group(group, meter, choice)) for group in table.groups)
    return [replace(result, notes=(*result.notes, *notes)) for result in results]


def _of_group(group: Group, meter: Meter, choice: DeviceChoice) -> Result:
    duration_s = sum(span.duration_s for span in group.spans)
    windows = f"{len(group.spans)} sessions" if len(group.spans) > 1 else "one window"
    result = Result(
        name=group.name,
        setup=_setup(group.queries, group.input_tokens, group.output_tokens),
        queries=group.queries,
        failed_queries=group.failed_queries,
        input_tokens=group.input_tokens,
        output_tokens=group.output_tokens,
        duration_s=duration_s,
        span=Span(group.spans[0].start_s, group.spans[-1].end_s),
        notes=(f"{windows}, {duration_s:.1f} s together",) if len(group.spans) > 1 else (),
    )
    if group.device is None and len(group.spans) == 1:
        return metered(result, meter, choice)
    devices = [group.device] if group.device is not None else list(choice.named or meter.log.devices)
    missing = [device for device in devices if device not in meter.log.devices]
    if missing:
        return replace(result, why_no_energy=f"the log has no device {', '.join(missing)}")
    try:
        energies = meter.energies(group.spans, devices)
    except UnmeasurableError as error:
        return unmeasured(result, error, meter)
    return replace(result, energy=energy_of(energies, duration_s), notes=(*result.notes, *meter.notes))
