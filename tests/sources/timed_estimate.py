"""The estimate beside what it leaves out: the CPU time that its own readings take."""

import time

from pytest_whq.model import Reading
from pytest_whq.sources.estimate import WATTS_PER_VCPU, EstimateSource

TOLERANCE_S = 0.06
"""Some clock ticks: the time of children that have exited comes in ticks of 10 ms, and what a child uses
after it has said its time, for exiting, is not in the truth: 30 ms on a slow machine."""


class TimedEstimate(EstimateSource):
    """The source, and the CPU seconds that its readings have taken."""

    def __init__(self) -> None:
        super().__init__()
        self.readings_s = 0.0

    def read(self) -> tuple[Reading, ...]:
        """Read, and take the time."""
        started_s = time.process_time()
        readings = super().read()
        self.readings_s += time.process_time() - started_s
        return readings

    def others_s(self) -> float:
        """CPU seconds that it counts, less this process's own."""
        (reading,) = self.read()
        assert reading.energy_j is not None
        return reading.energy_j / WATTS_PER_VCPU - (time.process_time() - self.readings_s)
