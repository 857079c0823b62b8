"""Calibrates the GPUs of this machine, one after the other, while nobody else measures on them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pytest_whq.calibrating.calibration import Calibration, calibrate
from pytest_whq.calibrating.cuda_load import cuda_load
from pytest_whq.calibrating.load_script import Load
from pytest_whq.errors import SourceError
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import Clock, wait
from pytest_whq.model import CalibratedBoard, Device
from pytest_whq.real_time import now_s
from pytest_whq.sources.base import Probe
from pytest_whq.sources.bounded import LIMIT_S, BoundedCalls


def calibrate_gpus(
    clock: Clock,
    devices: str | None,
    longest_s: float,
    say: Callable[[str], None],
    find_load: Callable[[Device], Load | None] = cuda_load,
    limit_s: float = LIMIT_S,
) -> tuple[str | None, tuple[Calibration, ...]]:
    """The driver's version and the calibrations of the GPUs that ``devices`` (--whq-devices) chooses.

    ``say`` hears what is going on, and an empty text where a wait is over. Raises `SourceError` where
    GPUs cannot be read, another process does not let go of them, or a single reading, as opening
    and closing, takes longer than ``limit_s``.
    """
    from pytest_whq.sources.nvml.source import NvmlSource

    def opened() -> tuple[NvmlSource, tuple[Device, ...], Sequence[Probe]]:
        source = NvmlSource(devices)
        return source, source.devices(), tuple(source.probes())

    calls, found = BoundedCalls("nvml", limit_s, "--driver-timeout"), []
    source, gpus, probes = calls.call("open", opened, lambda late: late[0].close())
    try:
        hold = wait(clock, Claim(gpus, say).acquire())
        if hold.reason is not None and hold.reason.code == "device_busy":
            raise SourceError(hold.reason.sentence)
        try:
            for device in gpus:
                say(f"calibrating {device.name} ({device.id})")
                found.append(_calibrated(device, probes, clock, find_load, longest_s, calls))
        finally:
            hold.release()
    finally:
        calls.call("close", source.close)
    return source.driver, tuple(found)


def as_kept(
    calibrations: Sequence[Calibration], calibrated: str, driver: str | None
) -> list[CalibratedBoard]:
    """What of ``calibrations`` sessions to come can use: of boards that idled only nothing."""
    return [
        CalibratedBoard(
            one.device.id, driver, one.device.power_limit_w, calibrated, one.counter, one.settling_s
        )
        for one in calibrations
        if one.counter is not None
    ]


def _calibrated(
    device: Device,
    probes: Sequence[Probe],
    clock: Clock,
    find_load: Callable[[Device], Load | None],
    longest_s: float,
    calls: BoundedCalls,
) -> Calibration:
    looks = _Looks()
    own = [looks.noted(probe) for probe in probes if probe.device == device]

    def calibrated() -> Calibration:
        return calibrate(device, own, clock, find_load(device), longest_s)

    return calls.follow("read its sensors", calibrated, lambda: looks.since_s)


class _Looks:
    """Looks at sensors: ``since_s`` is when the one began that is under way, None where none is."""

    def __init__(self) -> None:
        self.since_s: float | None = None

    def noted(self, probe: Probe) -> Probe:
        """``probe``, whose looks are noted here."""

        def look() -> Any:
            self.since_s = now_s()
            try:
                return probe.look()
            finally:
                self.since_s = None

        return replace(probe, look=look)
