"""The energy of LLM inference as a thing that tests hold.

Users meet the ``whq`` fixture, whose type is ``Whq``, and the options of the pytest plugin; scripts and
notebooks have the same from ``session``. The other names are for plugin authors. All stay as they are within
a major version.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_whq.calling.whq import Whq
    from pytest_whq.errors import RunFileError, SettingError, SourceError, WhqError
    from pytest_whq.model import (
        Device,
        DeviceState,
        Measurement,
        Reading,
        Record,
        Run,
        TokenCount,
    )
    from pytest_whq.scripting import session
    from pytest_whq.sources.base import PowerSource
    from pytest_whq.version import __version__ as __version__

__all__ = [
    "Device",
    "DeviceState",
    "Measurement",
    "PowerSource",
    "Reading",
    "Record",
    "Run",
    "RunFileError",
    "SettingError",
    "SourceError",
    "TokenCount",
    "Whq",
    "WhqError",
    "session",
]


def __getattr__(name: str) -> Any:
    # Lazy, because pytest imports this package at every start, used or not.
    if name in __all__ or name == "__version__":
        from importlib import import_module

        for module in ("errors", "model", "sources.base", "calling.whq", "scripting", "version"):
            found = getattr(import_module(f"pytest_whq.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
