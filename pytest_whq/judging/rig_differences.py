"""What keeps figures of two rigs from being compared, in words. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from pytest_whq.model import Device, Rig
from pytest_whq.model.baseline import Accepted, rig_key


def differences_of(head: Accepted, base: Accepted, where: str = "in the baseline") -> tuple[str, ...]:
    """What keeps two figures from being compared, one phrase for each; ``where`` says where ``base`` is."""
    return tuple(_differences(head, base, where))


def _differences(head: Accepted, base: Accepted, where: str) -> Iterator[str]:
    now, before = head.run.rig, base.run.rig
    for what, one, other in (
        ("source", now.source, before.source),
        ("scope", now.scope, before.scope),
        ("method", head.method, base.method),
    ):
        if one != other:
            yield f"{what} {one or 'unknown'}, {where} {other or 'unknown'}"
    told = False
    for what, tell in (("", _name), ("power limit ", _power_limit), ("role ", _role)):
        one, other = (_counted(map(tell, rig.devices)) for rig in (now, before))
        if one != other and not told:
            told = True
            yield f"{what}{one}, {where} {other}"
    keys = rig_key(head), rig_key(base)
    if not told and len({key.of_any_board.devices for key in keys}) > 1:
        yield "the power limits or roles belong to other devices"
    elif not told and len({key.devices for key in keys}) > 1:
        yield f"the same model, but the board {_boards(now)}, {where} {_boards(before)}"


def _boards(rig: Rig) -> str:
    return " + ".join(sorted(device.id for device in rig.devices))


def _counted(words: Iterable[str]) -> str:
    """The words with their numbers: ``8 x NVIDIA H200``."""
    counts = Counter(sorted(words))
    return " + ".join(word if n == 1 else f"{n} x {word}" for word, n in counts.items()) or "no device"


def _name(device: Device) -> str:
    return device.name


def _power_limit(device: Device) -> str:
    return "unknown" if device.power_limit_w is None else f"{device.power_limit_w:g} W"


def _role(device: Device) -> str:
    return device.role or "none"
