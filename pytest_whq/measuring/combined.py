"""Several measurements as one: those of the calls of a test, and the attempts at one call. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_whq.joules.curve import join_curves
from pytest_whq.joules.phases import joined_phases
from pytest_whq.joules.spans import sum_known
from pytest_whq.measuring.result import one_of_each, poorest
from pytest_whq.measuring.server_work import foreign_reasons, joined_work
from pytest_whq.model import DeviceEnergy, Measurement, format_metric
from pytest_whq.tokens import sum_tokens


def combine(measurements: Sequence[Measurement]) -> Measurement:
    """Several measurements of one test as one: sums, in which one unknown makes the sum unknown.

    Their rounds stay apart in order; intervals, distributions and load are kept only where there is
    one measurement, since those of different calls do not belong together. Uncertainties add up, not their
    squares: what is not known of how power falls puts every window off the same way.
    """
    if len(measurements) == 1:
        return measurements[0]
    failures = sum((Counter(one.failures) for one in measurements), Counter())
    tokens = sum_tokens([one.tokens for one in measurements if one.queries])
    server = joined_work([one.server for one in measurements])
    sent = sum((one.queries or 0) + (one.failed_queries or 0) for one in measurements)
    foreign = () if server is None else foreign_reasons(server, sent)
    return Measurement(
        method=poorest(one.method for one in measurements if one.method is not None),
        energy_j=sum_known(one.energy_j for one in measurements),
        net_energy_j=sum_known(one.net_energy_j for one in measurements),
        uncertainty_j=sum_known(one.uncertainty_j for one in measurements),
        net_uncertainty_j=sum_known(one.net_uncertainty_j for one in measurements),
        duration_s=sum_known(one.duration_s for one in measurements),
        queries=sum(one.queries or 0 for one in measurements),
        failed_queries=sum(one.failed_queries or 0 for one in measurements),
        tokens=tokens,
        devices=tuple(_sum_devices(measurements)),
        rounds=tuple(one for measurement in measurements for one in measurement.rounds),
        interval95={},
        # Of others' queries the sentence that has them all.
        reasons=one_of_each((*foreign, *(reason for one in measurements for reason in one.reasons))),
        power=join_curves([one.power for one in measurements if one.power is not None]),
        phases=joined_phases([one.phases for one in measurements], tokens),
        failures=dict(failures.most_common()),
        tokenizer=next((one.tokenizer for one in measurements if one.tokenizer is not None), None),
        notes=tuple(dict.fromkeys(note for one in measurements for note in one.notes)),
        imported=measurements[-1].imported,
        server=server,
    )


def middle_of(attempts: Sequence[Measurement]) -> Measurement:
    """Of several measurements of one call the one with the middle figure, with a note of them all."""
    known = [
        (one.wh_per_query, number) for number, one in enumerate(attempts) if one.wh_per_query is not None
    ]
    if not known:
        return attempts[-1]
    _, middle = sorted(known)[(len(known) - 1) // 2]
    each = ", ".join(format_metric("wh_per_query", value) for value, _ in known)
    note = f"measured {len(attempts)} times, since it seemed to have changed: {each}; the middle one stands"
    return replace(attempts[middle], notes=(*attempts[middle].notes, note))


def _sum_devices(measurements: Sequence[Measurement]) -> Iterator[DeviceEnergy]:
    for id_ in dict.fromkeys(device.id for one in measurements for device in one.devices):
        parts = [device.energy_j for one in measurements for device in one.devices if device.id == id_]
        whole = len(parts) == len(measurements)
        yield DeviceEnergy(id_, sum_known(parts) if whole else None)
