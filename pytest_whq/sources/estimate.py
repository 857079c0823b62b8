"""Energy estimated from CPU time, for machines without a sensor."""

import time

from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.answering_processes import AnsweringProcesses
from pytest_whq.sources.cpu_name import cpu_name
from pytest_whq.sources.process_tree import ProcessTree

WATTS_PER_VCPU = 3.5
"""Watts of one vCPU at full load: the average over AWS's machines in Cloud Carbon Footprint's
coefficients (0.74 W when idle), https://www.cloudcarbonfootprint.org/docs/methodology."""


class EstimateSource:
    """CPU time of this process and its descendants x `WATTS_PER_VCPU`: an estimate, not a measurement.

    It covers the work of CPU cores alone: no memory, no GPU, no idle draw. On Linux a process of this machine
    that answers this one, at the other end of a connection, counts with what it started from when it
    is first seen to; of any other process nothing does. The CPU time of the readings themselves is left out.

    On Linux a descendant counts from its start, as soon as it was seen alive once or was waited
    for by its parent, and goes on counting when its parent exits before it. Lost are those that
    nobody waits for and that were never seen (a search for new ones takes at most 2 % of a core),
    and the last stretch, since the reading before, of one that nobody waits for. Elsewhere
    descendants count once they have exited and were waited for.
    """

    scope = "cpu"
    estimated = True

    def __init__(self) -> None:
        self._device = Device(id="cpu", name=cpu_name())
        self.sensors = {self._device.id: ("CPU time x watts per vCPU, an estimate",)}
        self._tree = ProcessTree()
        self._answering = AnsweringProcesses(self._tree) if self._tree.sees_others else None

    def devices(self) -> tuple[Device, ...]:
        """One device for all CPUs, without a power limit."""
        return (self._device,)

    def read(self) -> tuple[Reading, ...]:
        """Estimated joules since this process started; they never decrease."""
        if self._answering is not None:
            started_s = time.thread_time()
            self._answering.search()
            self._tree.leave_out(time.thread_time() - started_s)
        time_s = now_s()
        return (Reading(self._device.id, time_s, energy_j=self._tree.cpu_seconds() * WATTS_PER_VCPU),)

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """Who else is counted, or cannot be."""
        if self._answering is None:
            return ("a server that this test did not start is not counted: only Linux tells its CPU time",)
        return self._answering.notes_since(start_s)

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the CPU time."""
        return (DeviceState(self._device.id),)

    def close(self) -> None:
        """Nothing is held."""
