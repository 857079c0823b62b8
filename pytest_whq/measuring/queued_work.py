"""Work that a framework has queued on a device and that still runs after its call returned."""

import sys
from typing import Any


def wait_for_queued_work() -> None:
    """Wait until torch, JAX and CuPy have finished on their devices, where they are loaded and in use.

    None of them is imported for it. What fails here fails in the user's next call too, so it is theirs
    to meet there.
    """
    for name, finish in _FINISHERS.items():
        if (module := sys.modules.get(name)) is not None:
            try:
                finish(module)
            except Exception:  # noqa: BLE001
                continue


def _finish_torch(torch: Any) -> None:
    if not torch.cuda.is_initialized():
        return
    for device in range(torch.cuda.device_count()):
        # Synchronising a device that this process does not use would claim memory on it.
        if device == torch.cuda.current_device() or torch.cuda.memory_reserved(device):
            torch.cuda.synchronize(device)


def _finish_jax(jax: Any) -> None:
    # Asking for devices would start a backend that nobody uses yet.
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None or not bridge.backends_are_initialized():
        return
    # A device runs its work in order, so an array made last is ready last.
    for device in jax.local_devices():
        if device.platform != "cpu":
            (jax.device_put(0.0, device) + 0).block_until_ready()


def _finish_cupy(cupy: Any) -> None:
    cupy.cuda.Device().synchronize()


_FINISHERS = {"torch": _finish_torch, "jax": _finish_jax, "cupy": _finish_cupy}
