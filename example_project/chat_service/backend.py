"""Where the model's arrays live: torch on an NVIDIA GPU where there is one, numpy elsewhere."""

import ctypes
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A `numpy.ndarray` or a `torch.Tensor`: the model uses only what both spell alike."""


@dataclass(frozen=True, slots=True)
class Backend:
    """An array library, the device that holds its arrays, and its seeded normal float32 numbers."""

    xp: Any
    device: str
    normal: Callable[[tuple[int, ...]], Array]


def choose_backend(seed: int) -> Backend:
    """The GPU's backend where torch and CUDA are there, else numpy's."""
    return torch_backend(seed, "cuda") if cuda_is_there() else numpy_backend(seed)


def numpy_backend(seed: int) -> Backend:
    """Arrays of numpy on the CPU."""
    generator = np.random.default_rng(seed)
    return Backend(np, "cpu", lambda shape: generator.standard_normal(shape, dtype=np.float32))


def torch_backend(seed: int, device: str) -> Backend:
    """Tensors of torch on ``device``."""
    torch = importlib.import_module("torch")
    generator = torch.Generator(device).manual_seed(seed)
    return Backend(torch, device, lambda shape: torch.randn(shape, generator=generator, device=device))


def cuda_is_there() -> bool:
    """Whether torch is installed and finds a GPU."""
    if importlib.util.find_spec("torch") is None:
        return False
    try:
        # Torch takes seconds to import: without a driver there is no need to ask it.
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return bool(importlib.import_module("torch").cuda.is_available())
