"""What several devices that drew in the same spans are unsure by, together."""

import pytest

from pytest_whq.joules.spans import SpanEnergies, uncertainty_together_j


def energies(uncertainty_j: float, common_j: float = 0.0) -> SpanEnergies:
    return SpanEnergies("counter", (100.0,), uncertainty_j, 70.0, common_j=common_j)


def test_errors_of_their_own_make_up_for_each_other() -> None:
    assert uncertainty_together_j([energies(3.0), energies(4.0)]) == pytest.approx(5.0)


def test_errors_that_devices_have_in_common_add_up() -> None:
    assert uncertainty_together_j([energies(3.0, 3.0), energies(4.0, 4.0)]) == pytest.approx(7.0)
    # 5 of its own beside 12 in common, of each.
    assert uncertainty_together_j([energies(13.0, 12.0)] * 2) == pytest.approx((24**2 + 2 * 5**2) ** 0.5)
