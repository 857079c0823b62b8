"""What calibrations have shown of the boards of this machine, in one file of the user, as versioned JSON."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError
from pytest_whq.model import CalibratedBoard, Device
from pytest_whq.storing.fields import FieldError, interval, list_of, object_of, optional, shown, taking, text
from pytest_whq.storing.files import make_folder_of, parse_json, read_bytes, write_text
from pytest_whq.storing.hints import dataclass_of
from pytest_whq.storing.plain_data import plain
from pytest_whq.storing.stamp import TOOL, moment

BOARDS_FORMAT = 1  # 1: first

_MOST = 200
"""So many boards are kept, the latest calibrated first."""

_REMEDY = "Write it anew with whq devices --calibrate."


def boards_path() -> Path | None:
    """Where they are kept: in ``$XDG_CACHE_HOME``, else in ``~/.cache``; None for a user without a home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):  # As its specification has it: a relative path is none.
        return Path(given) / _NAME
    try:
        return Path.home() / ".cache" / _NAME
    except RuntimeError:
        return None


_NAME = Path("pytest-whq", "boards.json")


def read_boards(path: Path | None) -> tuple[CalibratedBoard, ...]:
    """The boards kept at ``path``, none where no file is; RunFileError says why one cannot be read."""
    if path is None or not os.path.lexists(path):
        return ()
    document = parse_json(read_bytes(path), str(path), _REMEDY)
    try:
        boards: tuple[CalibratedBoard, ...] = _boards(document)["boards"]
    except FieldError as wrong:
        raise RunFileError(f"{path}: {wrong}. {_REMEDY}") from None
    return boards


def known_boards(driver: str | None, devices: Sequence[Device]) -> list[CalibratedBoard]:
    """What is known of ``devices`` under ``driver``: nothing where the file cannot be read."""
    try:
        kept = read_boards(boards_path())
    except RunFileError:
        # Only precision is lost, and whq devices tells it.
        return []
    return [board for board in kept if any(board.is_of(driver, device) for device in devices)]


def keep_boards(boards: Sequence[CalibratedBoard]) -> Path:
    """Keep ``boards``, in place of what was known of them; returns where.

    RunFileError where the file cannot be written. One that cannot be read is written anew.
    """
    path = boards_path()
    if path is None:
        raise RunFileError("There is no home to keep the calibration in. Set XDG_CACHE_HOME to a folder.")
    try:
        kept = read_boards(path)
    except RunFileError:
        kept = ()
    latest = {_key(board): board for board in reversed((*boards, *kept))}
    whole = {
        "format": BOARDS_FORMAT,
        "tool": TOOL,
        "boards": [*map(plain, reversed(latest.values()))][:_MOST],
    }
    make_folder_of(path)
    write_text(path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return path


def _key(board: CalibratedBoard) -> tuple[str, str | None, float | None]:
    return board.id, board.driver, board.power_limit_w


@taking(enum=[BOARDS_FORMAT])
def _format(value: Any) -> int:
    if type(value) is not int or value != BOARDS_FORMAT:
        raise FieldError(f"is {shown(value)}, but this version reads {BOARDS_FORMAT}")
    return BOARDS_FORMAT


@taking(type="array")
def _span(value: Any) -> tuple[float, float]:
    low, high = interval(value)
    if low < 0:
        raise FieldError(f"is {shown(value)}, but no time is below 0")
    return low, high


_board = dataclass_of(CalibratedBoard, {"calibrated": moment, "settling_s": optional(_span)})
_boards = object_of({"format": _format, "tool": text, "boards": list_of(_board)})
