"""What can go wrong, one class per reaction of the caller."""

from collections.abc import Iterable
from typing import Literal

ReasonCode = Literal[
    "no_source",
    "source_error",
    "counter_reset",
    "counter_stuck",
    "sensors_disagree",
    "window_too_short",
    "sample_gap",
    "mig",
    "device_busy",
    "device_idle",
    "cached_input",
    "failed_queries",
    "no_queries",
    "tokens_missing",
    "imprecise",
    "throttled",
    "shared_device",
    "unclaimed",
    "foreign_queries",
    "server_silent",
    "thermal_drift",
    "estimated",
    "modelled",
]
"""Why a record is not valid, or valid only with a warning; see `pytest_whq.model.REASONS`."""


class WhqError(Exception):
    """Base of all errors of pytest-whq; its message says what, why, and what to do."""


class SettingError(WhqError):
    """An option, ini value, marker or budget that cannot be used: nothing runs until it is mended."""


class SourceError(WhqError):
    """A power source that cannot be opened or read: the window is recorded as not measured.

    ``code`` is the reason that the record gets.
    """

    def __init__(self, message: str, code: ReasonCode = "source_error") -> None:
        super().__init__(message if message.strip() else "the power source does not say what is wrong")
        self.code = code


class TooMuchError(SourceError):
    """More was asked of a source at once than it gives, or than is read: less may be asked for."""


class RunFileError(WhqError):
    """A file of results that cannot be read or written: the file is left as it is."""


class ImportedFileError(WhqError):
    """A file of another tool that cannot be used at all: nothing of it is imported."""


def described(value: object) -> str:
    """``value``, most often an error, as Python shows it: shortened, and also where its own code fails to."""
    try:
        text = repr(value)
    except (Exception, SystemExit):  # noqa: BLE001 - of a plugin or of what is tested: anything may come
        return f"{type(value).__name__}, which does not say more"
    return text if len(text) <= 300 else f"{text[:297]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the one of ``known`` that ``word`` may be a slip of, to stand after it; empty for none."""
    # Imported here: difflib is needed for a mistake only, and start-up is measured.
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
