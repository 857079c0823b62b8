"""What can go wrong, one class per reaction of the caller."""


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
