"""Energy of AMD GPUs, through the package amdsmi that comes with ROCm, imported where a source is opened."""

import time
from collections.abc import Callable
from contextlib import suppress

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.amdsmi.gpus import Gpu, chosen_gpus, found_gpus
from pytest_whq.sources.amdsmi.library import celsius_of, driver_of, energy_of, initialised, power_of, said
from pytest_whq.sources.facts import ListedDevice


class AmdsmiSource:
    """AMD GPUs, by their energy counter where it moves, else by their power.

    ``devices`` is the setting of --whq-devices: indices and UUIDs, or ``all``; None for all that can be
    measured. ``now`` is the clock of the readings, ``sleep`` lets its time pass. Raises `SourceError`, with
    the code ``no_source`` where there is no amdsmi or no GPU.
    """

    scope = "gpu"

    def __init__(
        self,
        devices: str | None = None,
        now: Callable[[], float] = now_s,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._now = now
        self._smi = initialised()
        self._gpus = chosen_gpus(devices, found_gpus(self._smi, sleep))
        self.driver = driver_of(self._smi, self._gpus[0].handle)
        self.sensors = {gpu.device.id: gpu.sensors for gpu in self._gpus}

    @staticmethod
    def list_devices(sleep: Callable[[float], object] = time.sleep) -> tuple[ListedDevice, ...]:
        """Every GPU in amdsmi's order. Raises `SourceError` where there is none."""
        found = found_gpus(initialised(), sleep)
        return tuple(ListedDevice(gpu.device, index, gpu.why_not) for index, gpu in enumerate(found))

    def devices(self) -> tuple[Device, ...]:
        """The GPUs measured: UUID, name, and power cap where it is known."""
        return tuple(gpu.device for gpu in self._gpus)

    def read(self) -> tuple[Reading, ...]:
        """One reading of each GPU; what one does not tell this time, as when it is busy, is None."""
        return tuple(self._reading(gpu) for gpu in self._gpus)

    def state(self) -> tuple[DeviceState, ...]:
        """The temperatures, where GPUs tell them."""
        return tuple(DeviceState(gpu.device.id, celsius_of(self._smi, gpu.handle)) for gpu in self._gpus)

    def close(self) -> None:
        """Nothing: amdsmi counts no users, and to shut it down would take it from others in this process."""

    def _reading(self, gpu: Gpu) -> Reading:
        try:
            energy_j = self._unless_busy(energy_of, gpu.handle) if gpu.counts else None
            moment_s = self._now()
            power_w = None if gpu.power is None else self._unless_busy(power_of, gpu.handle, gpu.power)
        except self._smi.AmdSmiException as error:
            raise SourceError(
                f"amdsmi: {gpu.device.name} ({gpu.device.id}) cannot be read: {said(error)}. "
                "See what amd-smi and the kernel's log say of it."
            ) from error
        return Reading(gpu.device.id, moment_s, energy_j, power_w)

    def _unless_busy(self, look: Callable[..., float | None], *args: object) -> float | None:
        with suppress(self._smi.AmdSmiRetryException):
            return look(self._smi, *args)
        return None
