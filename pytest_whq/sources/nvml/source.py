"""Energy of NVIDIA GPUs, through NVML. The only importer of pynvml, and itself imported on first use."""

import os
from contextlib import suppress
from functools import partial

import pynvml  # type: ignore[import-untyped]

from pytest_whq.errors import ReasonCode, SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.base import Probe
from pytest_whq.sources.facts import ListedDevice
from pytest_whq.sources.nvml.codes import NO_PERMISSION, NOTHING_THERE, opening_sentence, reading_sentence
from pytest_whq.sources.nvml.devices import Board, select
from pytest_whq.sources.nvml.gpu import COUNTERS, Gpu

_REOPEN_AFTER_S = 0.5
"""After an error, before NVML is opened afresh: a GPU that was lost may come back."""


class NvmlSource:
    """The energy of NVIDIA GPUs: by their energy counter where it works, else by their power.

    ``devices`` is the setting of --whq-devices: indices and UUIDs, which may be abbreviated, or
    ``all``; None for those that CUDA_VISIBLE_DEVICES leaves. Raises `SourceError` where GPUs cannot be
    measured, with the code ``no_source`` where there are none.

    ``scope`` is ``gpu``, or ``module`` where only the whole module (GPU and CPU) can be read.
    """

    def __init__(self, devices: str | None = None) -> None:
        self._owner: int | None = None
        self._closed = False
        self._failed: tuple[float, SourceError] | None = None
        try:
            self._initialise()
            self._gpus = [Gpu(pynvml, board) for board in select(devices, _boards(), os.environ)]
            if devices is None:
                _refuse_mig(self._gpus)
            for gpu in self._gpus:
                gpu.find_sensors()
        except BaseException:
            self.close()
            raise
        self.scope = "+".join(dict.fromkeys(gpu.sensors[0].scope for gpu in self._gpus))
        self.driver = _driver_version()
        self.power_averaging_s = {gpu.device.id: gpu.power_averaging_s for gpu in self._gpus}
        self.sensors = {gpu.device.id: tuple(each.phrase for each in gpu.sensors) for gpu in self._gpus}

    @staticmethod
    def list_devices() -> tuple[ListedDevice, ...]:
        """Every GPU in NVML's order. Raises `SourceError` where NVML cannot be opened or has none."""
        _initialise()
        try:
            return tuple(_listed(board) for board in _boards())
        finally:
            _shut_down()

    def devices(self) -> tuple[Device, ...]:
        """The GPUs measured: UUID, name, and power limit where it is known."""
        return tuple(gpu.device for gpu in self._gpus)

    def read(self) -> tuple[Reading, ...]:
        """One reading of each GPU; what a sensor refuses to tell this time is None."""
        self._open_where_needed()
        try:
            return tuple(gpu.read() for gpu in self._gpus)
        except SourceError as error:
            self._failed = (now_s(), error)
            raise

    def state(self) -> tuple[DeviceState, ...]:
        """Temperature, clocks event reasons and other processes; what a GPU does not tell is None."""
        # What keeps a GPU from being read is for read() to say.
        with suppress(SourceError):
            self._open_where_needed()
        return tuple(gpu.state() for gpu in self._gpus)

    def probes(self) -> tuple[Probe, ...]:
        """Every sensor that works, by itself, with those by which a GPU is measured first."""
        return tuple(
            Probe(gpu.device, sensor.name, sensor in COUNTERS, partial(gpu.look, sensor))
            for gpu in self._gpus
            for sensor in gpu.working_sensors()
        )

    def close(self) -> None:
        """Shut NVML down where this process opened it; the source stays closed."""
        self._closed = True
        self._shut_down()

    def _open_where_needed(self) -> None:
        """Open NVML in a process forked since, where handles are void, and again some time after an error."""
        if self._closed:
            raise SourceError("nvml: the source is closed.")
        if self._failed is not None:
            failed_s, error = self._failed
            if now_s() < failed_s + _REOPEN_AFTER_S:
                raise SourceError(str(error), error.code)
        elif self._owner == os.getpid():
            return
        self._shut_down()
        try:
            self._initialise()
            for gpu in self._gpus:
                gpu.open()
        except SourceError as error:
            self._failed = (now_s(), error)
            raise
        self._failed = None

    def _initialise(self) -> None:
        _initialise()
        self._owner = os.getpid()

    def _shut_down(self) -> None:
        if self._owner == os.getpid():
            _shut_down()
        self._owner = None


def _listed(board: Board) -> ListedDevice:
    try:
        gpu = Gpu(pynvml, board)
        gpu.find_sensors()
    except SourceError as error:
        return ListedDevice(Device(board.uuid, board.name), board.index, str(error))
    why_not = None
    if gpu.in_mig_mode:
        why_not = (
            f"nvml: {board.phrase} is in MIG mode: it is measured only as a whole, "
            "when --whq-devices names it."
        )
    return ListedDevice(gpu.device, board.index, why_not)


def _initialise() -> None:
    """Open NVML in this process; each call wants one `_shut_down`. Raises `SourceError`."""
    if hasattr(pynvml, "__path__"):  # That of nvidia-ml-py is one file.
        raise SourceError(
            "nvml: the old package pynvml stands in front of nvidia-ml-py, whose module has the same name. "
            "Take it away (pip uninstall pynvml) and bring the other back (pip install --force-reinstall "
            "nvidia-ml-py)."
        )
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise _cannot_be_opened(error) from error


def _cannot_be_opened(error: pynvml.NVMLError) -> SourceError:
    # Only where there is no driver is there no GPU: one that is there but refuses is not to be
    # replaced by an estimate.
    code: ReasonCode = "no_source" if error.value in NOTHING_THERE else "source_error"
    return SourceError(opening_sentence(error.value, error), code)


def _shut_down() -> None:
    """Close NVML where nobody else in this process has it open."""
    with suppress(pynvml.NVMLError):
        pynvml.nvmlShutdown()


def _driver_version() -> str | None:
    """The version of the driver, None where it does not tell."""
    with suppress(pynvml.NVMLError):
        return str(pynvml.nvmlSystemGetDriverVersion())
    return None


def _boards() -> list[Board]:
    """Every GPU of the machine in NVML's order; raises `SourceError`, ``no_source`` where there is none."""
    try:
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        raise _cannot_be_opened(error) from error
    if not count:
        raise SourceError(
            "nvml: the driver has no GPU. See what nvidia-smi says, or choose another --whq-source.",
            code="no_source",
        )
    return [_board(index) for index in range(count)]


_NAMELESS = "unknown GPU"


def _board(index: int) -> Board:
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        # A driver that has just reset a board may tell no name.
        name = pynvml.nvmlDeviceGetName(handle) or _NAMELESS
        return Board(index, pynvml.nvmlDeviceGetUUID(handle), name)
    except pynvml.NVMLError as error:
        why_not = reading_sentence(error.value, error, f"GPU {index}")
        return Board(index, "", _NAMELESS, why_not, permitted=error.value != NO_PERMISSION)


def _refuse_mig(gpus: list[Gpu]) -> None:
    for gpu in gpus:
        if gpu.in_mig_mode:
            raise SourceError(
                f"nvml: {gpu.board.phrase} is in MIG mode, where only the whole board's power can be read. "
                "Turn MIG off, or measure all of its instances together with --whq-devices.",
                code="mig",
            )
