"""The hooks that pytest-whq calls: a function of such a name in ``conftest.py`` is a plugin.

No types are imported here at run time: pytest loads this file at every start.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_whq.model import Record, TokenCount
    from pytest_whq.sources.base import PowerSource


@pytest.hookspec
def pytest_whq_power_sources() -> "dict[str, Callable[[], PowerSource]]":  # type: ignore[empty-body]
    """Offer power sources by the names that ``--whq-source`` takes; each is opened on first use.

    A name that two plugins offer is an error that names both.
    """


@pytest.hookspec(firstresult=True)
def pytest_whq_read_tokens(reply: object) -> "TokenCount | None":
    """Count the tokens of ``reply``, or return None to let the next reader try; built-in ones come last."""


@pytest.hookspec
def pytest_whq_record(record: "Record") -> None:
    """A record was made: called once for each measured test, when that is over, where it is reported."""
