"""When a file was made and by what: what every file of this package begins with."""

import re
from datetime import UTC, datetime
from typing import Any

from pytest_whq.storing.fields import FieldError, shown, taking, text
from pytest_whq.version import __version__

TOOL = f"pytest-whq {__version__}"

_MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"


def now() -> str:
    """This second, as `moment` reads it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@taking(type="string", pattern=_MOMENT)
def moment(value: Any) -> str:
    """A time in UTC, as text."""
    written = text(value)
    try:
        if re.fullmatch(_MOMENT, written):
            datetime.fromisoformat(written)
            return written
    except ValueError:
        pass
    raise FieldError(f"is {shown(value)}, but must be a time in UTC such as 2026-11-23T08:00:00Z")
