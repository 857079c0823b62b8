"""What can go wrong, one class per reaction of the caller."""

from collections.abc import Iterable


class WhqError(Exception):
    """Base of all errors of pytest-whq; its message says what, why, and what to do."""


class SettingError(WhqError):
    """An option, ini value, marker or budget that cannot be used: nothing runs until it is mended."""


class SourceError(WhqError):
    """A power source that cannot be opened or read: the window is recorded as not measured.

    ``code`` is the reason code that the record gets, one of `pytest_whq.model.REASONS`.
    """

    def __init__(self, message: str, code: str = "source_error") -> None:
        super().__init__(message)
        self.code = code


class RunFileError(WhqError):
    """A file of results that cannot be read or written: the file is left as it is."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the one of ``known`` that ``word`` may be a slip of, to stand after it; empty for none."""
    # Imported here: difflib is needed for a mistake only, and start-up is measured.
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
