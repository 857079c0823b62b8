"""The files of /sys: one value each, which may be missing, empty, or not for everyone to read."""

from pathlib import Path


def text_of(path: Path) -> str | None:
    """What stands in the file, None where it is missing, empty or cannot be read."""
    try:
        return path.read_text("utf-8", errors="replace").strip() or None
    except OSError:
        return None


def millionths_of(path: Path) -> float | None:
    """A count of millionths (microjoules, microwatts) as joules or watts; None where it cannot be read."""
    text = text_of(path)
    try:
        return None if text is None else int(text) / 1e6
    except ValueError:
        return None
