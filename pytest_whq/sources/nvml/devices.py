"""Which of a machine's GPUs are measured. Pure: what NVML listed goes in, a choice comes out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_whq.errors import SourceError


@dataclass(frozen=True, slots=True)
class Board:
    """One GPU in NVML's order; ``why_not`` says why it cannot be opened, None where it can.

    ``permitted`` is False for a GPU that this user or container has not been given.
    """

    index: int
    uuid: str
    name: str
    why_not: str | None = None
    permitted: bool = True

    @property
    def phrase(self) -> str:
        """How sentences name it: ``GPU 0 (GPU-...)``."""
        return f"GPU {self.index} ({self.uuid})" if self.uuid else f"GPU {self.index}"


def select(devices: str | None, boards: Sequence[Board], environ: Mapping[str, str]) -> tuple[Board, ...]:
    """The boards that ``devices`` (--whq-devices) names, else those that CUDA would see.

    ``boards`` are all in NVML's order. Raises `SourceError` where that is none, or not clear.
    """
    if devices is not None:
        return _named(devices, boards)
    permitted = [board for board in boards if board.permitted]
    if not permitted:
        raise SourceError(
            "nvml: no permission to open any GPU. Give this user read and write access to /dev/nvidia*."
        )
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    return tuple(permitted) if visible is None else _visible(visible, permitted, environ)


def _named(text: str, boards: Sequence[Board]) -> tuple[Board, ...]:
    if text.strip() == "all":
        return tuple(boards)
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise SourceError("nvml: --whq-devices names no GPU. Give indices, UUIDs or all.")
    # dict.fromkeys: a GPU named twice is measured once.
    return tuple(dict.fromkeys(_one_named(entry, boards) for entry in entries))


def _one_named(entry: str, boards: Sequence[Board]) -> Board:
    if entry.startswith("MIG-"):
        raise _mig_instance(entry, "--whq-devices")
    if entry.isdecimal():
        if int(entry) >= len(boards):
            raise SourceError(
                f"nvml: there is no GPU {entry}, the last is {len(boards) - 1}. "
                "Choose with --whq-devices from what `whq devices` lists."
            )
        return boards[int(entry)]
    if not entry.startswith("GPU-"):
        raise SourceError(f"nvml: --whq-devices cannot be {entry!r}. Give indices, UUIDs (GPU-...) or all.")
    found = _by_uuid(entry, boards)
    if len(found) != 1:
        what = f"{len(found)} GPUs have a UUID" if found else "no GPU has a UUID"
        raise SourceError(
            f"nvml: {what} that begins with {entry}. Choose with --whq-devices from what `whq devices` lists."
        )
    return found[0]


def _visible(text: str, boards: Sequence[Board], environ: Mapping[str, str]) -> tuple[Board, ...]:
    """What CUDA sees of ``boards``: the entries before the first that is invalid."""
    chosen: list[Board] = []
    by_index = False
    for entry in text.split(","):
        board = _one_visible(entry.strip(), boards)
        if board is None:
            break
        if board in chosen:
            # CUDA shows nothing at all where an entry is repeated.
            chosen = []
            break
        chosen.append(board)
        by_index = by_index or not entry.strip().startswith("GPU-")
    if not chosen:
        raise SourceError(
            f"nvml: no GPU is visible, as CUDA_VISIBLE_DEVICES is {text!r}. "
            "Change it, or choose GPUs with --whq-devices.",
            code="no_source",
        )
    orders_agree = (
        environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({board.name for board in boards}) == 1
    )
    if by_index and not orders_agree and len(chosen) < len(boards):
        raise SourceError(
            f"nvml: CUDA_VISIBLE_DEVICES={text} counts GPUs fastest first, and those here differ, so which "
            "are meant is not known. Set CUDA_DEVICE_ORDER=PCI_BUS_ID, use UUIDs in "
            "CUDA_VISIBLE_DEVICES, or choose with --whq-devices."
        )
    return tuple(chosen)


def _one_visible(entry: str, boards: Sequence[Board]) -> Board | None:
    if entry.startswith("MIG-"):
        raise _mig_instance(entry, "CUDA_VISIBLE_DEVICES")
    if entry.startswith("GPU-"):
        found = _by_uuid(entry, boards)
        return found[0] if len(found) == 1 else None
    # CUDA reads a number as strtol does: what follows the digits is ignored.
    digits = re.match(r"\+?\d+", entry)
    return boards[int(digits[0])] if digits and int(digits[0]) < len(boards) else None


def _by_uuid(prefix: str, boards: Sequence[Board]) -> list[Board]:
    return [board for board in boards if board.uuid.lower().startswith(prefix.lower())]


def _mig_instance(entry: str, where: str) -> SourceError:
    return SourceError(
        f"nvml: {where} names the MIG instance {entry}, and only the whole board's power can be read. "
        "Turn MIG off, or measure all instances of the board together by naming it in --whq-devices.",
        code="mig",
    )
