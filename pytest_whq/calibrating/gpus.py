"""Calibrates the GPUs of this machine, one after the other, while nobody else measures on them."""

from collections.abc import Callable
from contextlib import closing

from pytest_whq.calibrating.calibration import Calibration, Load, calibrate
from pytest_whq.calibrating.cuda_load import cuda_load
from pytest_whq.errors import SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, wait
from pytest_whq.model import Device


def calibrate_gpus(
    clock: Clock,
    devices: str | None,
    longest_s: float,
    say: Callable[[str], None],
    find_load: Callable[[Device], Load | None] = cuda_load,
) -> tuple[str | None, tuple[Calibration, ...]]:
    """The driver's version and the calibrations of the GPUs that ``devices`` (--whq-devices) chooses.

    ``say`` hears what is going on, and an empty text where a wait is over. Raises `SourceError` where
    GPUs cannot be read, or another process does not let go of them.
    """
    from pytest_whq.sources.nvml.source import NvmlSource

    found = []
    with closing(NvmlSource(devices)) as source:
        claim = Claim(source.devices(), say)
        hold = wait(clock, claim.acquire())
        if hold.reason is not None and hold.reason.code == "device_busy":
            raise SourceError(hold.reason.sentence)
        try:
            for device in source.devices():
                say(f"calibrating {device.name} ({device.id})")
                probes = [probe for probe in source.probes() if probe.device == device]
                found.append(calibrate(device, probes, clock, find_load(device), longest_s))
        finally:
            hold.release()
    return source.driver, tuple(found)
