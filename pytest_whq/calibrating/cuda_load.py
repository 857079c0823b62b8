"""Keeps a GPU busy on demand, where torch with CUDA can be imported."""

import threading
from importlib import import_module
from typing import Any

from pytest_whq.errors import SourceError, described
from pytest_whq.model import Device

_SIZE = 4096
_QUEUED = 4
"""Products that are queued at once: few, so that the GPU idles soon after the last."""


class CudaLoad:
    """Multiplies matrices on one GPU by a thread of its own, while it is switched on."""

    name = "torch, products of 4096 x 4096 matrices in half precision"

    def __init__(self, torch: Any, index: int) -> None:
        self._torch = torch
        self._index = index
        place = f"cuda:{index}"
        self._factor = torch.randn(_SIZE, _SIZE, device=place, dtype=torch.float16)
        self._product = torch.empty_like(self._factor)
        self._multiply()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._error: Exception | None = None

    def switch(self, *, on: bool) -> None:
        """Begin or end; returns once the GPU has. Raises `SourceError` where CUDA fails meanwhile."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
        if on:
            self._stop.clear()
            begun = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(begun,), daemon=True)
            self._thread.start()
            begun.wait()
        error, self._error = self._error, None
        if error is not None:
            raise SourceError(
                f"torch cannot keep the GPU busy: {described(error)}. Let nothing else run on it, or "
                "calibrate where torch is not installed: the GPU idles then."
            ) from error

    def _run(self, begun: threading.Event) -> None:
        try:
            # A thread begins without a CUDA context, of which cuBLAS warns.
            self._torch.cuda.set_device(self._index)
            while not self._stop.is_set():
                self._multiply(begun)
        except Exception as error:  # noqa: BLE001 - CUDA may fail in any way, and is waited for
            self._error = error
            begun.set()

    def _multiply(self, begun: threading.Event | None = None) -> None:
        for _ in range(_QUEUED):
            self._torch.mm(self._factor, self._factor, out=self._product)
        if begun is not None:
            begun.set()
        self._torch.cuda.synchronize(self._index)


def cuda_load(device: Device) -> CudaLoad | None:
    """A load for ``device``, None where torch cannot be imported or does not see that GPU."""
    try:
        torch = import_module("torch")
        for index in range(torch.cuda.device_count()):
            if f"GPU-{torch.cuda.get_device_properties(index).uuid}" == device.id:
                return CudaLoad(torch, index)
    except Exception:  # noqa: BLE001 - a torch that does not work here is as good as none
        return None
    return None
