"""What a calibration has shown of a board, as it is kept for sessions to come."""

from dataclasses import dataclass
from typing import Literal

from pytest_whq.model.rig import Device

CounterKind = Literal["whole", "looks", "lags"]
"""What an energy counter sees: all that is drawn, looks of it taken for the whole, or all of it too late."""


@dataclass(frozen=True, slots=True)
class CalibratedBoard:
    """A board under one driver and one power limit; what calibration did not show is None.

    ``calibrated`` is when, in UTC; ``settling_s`` between which time constants power falls after a load.
    """

    id: str
    driver: str | None
    power_limit_w: float | None
    calibrated: str
    counter: CounterKind | None
    settling_s: tuple[float, float] | None

    def is_of(self, driver: str | None, device: Device) -> bool:
        """Whether it tells of ``device`` as it is now."""
        now = (device.id, driver, device.power_limit_w)
        return (self.id, self.driver, self.power_limit_w) == now
