"""What the ``whq`` fixture gives to a test."""

from typing import NoReturn

import pytest

from pytest_whq.calling.whq import Whq
from pytest_whq.calling.window import Window
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.model import Measurement

__tracebackhide__ = True  # pytest shows the test's own lines, and none of this module's.


class _TestWindow(Window):
    """A window of a pytest test."""

    outcomes = (pytest.fail.Exception, pytest.skip.Exception)

    @property
    def measurement(self) -> Measurement:
        """As of any window; with ``--whq-disable`` the test is skipped here."""
        if self.meter is None:
            _skip_unmeasured()
        return super().measurement


def whq_of_test(ledger: Ledger | None) -> Whq:
    """The fixture of a test. Without a ledger (``--whq-disable``) it measures nothing."""
    return Whq(ledger, _TestWindow, _skip_unmeasured)


def _skip_unmeasured() -> NoReturn:
    pytest.skip("Nothing is measured: --whq-disable is set.")
