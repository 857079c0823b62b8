"""What the devices of each role drew for a test: a row each, in plain text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_whq.model import Device, Measurement
from pytest_whq.model.serving import Phase
from pytest_whq.rendering.rows import Row
from pytest_whq.units import format_quantity, wh


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role in one test; what is not known is empty, of ``devices`` None."""

    name: str
    role: str
    devices: int | None
    energy: str
    power: str
    per_token: str


def role_rows_of(rows: Sequence[Row], devices: Sequence[Device]) -> Iterator[RoleRow]:
    """The rows of every test whose devices have roles, or whose tool has told of them, role by role."""
    roles = {device.id: device.role for device in devices if device.role is not None}
    for row in rows:
        yield from _told_by_the_tool(row.name, row.record.measurement)
        for role in dict.fromkeys(roles.values()):
            ids = {id_ for id_, its in roles.items() if its == role}
            found = _role_row(row.name, role, ids, row.record.measurement)
            if found is not None:
                yield found


def _role_row(name: str, role: str, ids: set[str], measurement: Measurement) -> RoleRow | None:
    energies_j = [device.energy_j for device in measurement.devices if device.id in ids]
    known_j = [energy_j for energy_j in energies_j if energy_j is not None]
    if not known_j or len(known_j) < len(energies_j):
        return None
    energy_j, duration_s = sum(known_j), measurement.duration_s
    return RoleRow(
        name,
        role,
        len(known_j),
        format_quantity(wh(energy_j), "Wh"),
        format_quantity(energy_j / duration_s, "W") if duration_s else "",
        _per_token(role, measurement),
    )


def _told_by_the_tool(name: str, measurement: Measurement) -> Iterator[RoleRow]:
    imported = measurement.imported
    if imported is None:
        return
    setup, tokens, duration_s = imported.setup, measurement.tokens, measurement.duration_s
    parts = {
        "prefill": (setup.prefill_gpus, tokens.input_tokens, "input"),
        "decode": (setup.decode_gpus, tokens.output_tokens, "output"),
    }
    for one in imported.roles:
        devices, count, kind = parts.get(one.role, (None, None, ""))
        yield RoleRow(
            name,
            one.role,
            devices,
            format_quantity(wh(one.energy_j), "Wh"),
            format_quantity(one.energy_j / duration_s, "W") if duration_s else "",
            f"{format_quantity(one.energy_j / count, 'J')}/{kind} token" if count else "",
        )


def _per_token(role: str, measurement: Measurement) -> str:
    """Joules per token that the role is for, where it is one that is for tokens."""
    phases = measurement.phases
    if phases is None or phases.separated_by != "role":
        return ""
    parts: dict[str, tuple[Phase, str]] = {
        "prefill": (phases.prefill, "input"),
        "decode": (phases.decode, "output"),
    }
    if role not in parts:
        return ""
    phase, kind = parts[role]
    return "" if phase.j_per_token is None else f"{format_quantity(phase.j_per_token, 'J')}/{kind} token"
