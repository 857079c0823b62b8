"""The load by torch, on a torch that only notes what it is asked."""

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pytest_whq.calibrating.cuda_load import CudaLoad, cuda_load
from pytest_whq.errors import SourceError
from pytest_whq.model import Device


class Torch(ModuleType):
    """Two GPUs; counts the products that were begun and synchronised."""

    float16 = "float16"

    def __init__(self) -> None:
        super().__init__("torch")
        self.products = self.synchronised = 0
        self.cuda = SimpleNamespace(
            device_count=lambda: 2,
            get_device_properties=lambda index: SimpleNamespace(uuid=f"uuid-{index}"),
            set_device=self._set_device,
            synchronize=self._synchronize,
        )

    def randn(self, *size: int, device: str, dtype: str) -> str:
        return device

    def empty_like(self, matrix: str) -> str:
        return matrix

    def mm(self, left: str, right: str, *, out: str) -> None:
        assert left == right == out == "cuda:1"
        self.products += 1

    def _set_device(self, index: int) -> None:
        assert index == 1

    def _synchronize(self, index: int) -> None:
        assert index == 1
        self.synchronised += 1
        time.sleep(0.001)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Torch:
    torch = Torch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


def test_the_load_runs_while_it_is_on_and_ends_with_the_last_product(torch: Torch) -> None:
    load = cuda_load(Device("GPU-uuid-1", "H100"))
    assert isinstance(load, CudaLoad)
    warm_up = torch.products
    load.switch(on=True)
    assert torch.products > warm_up
    load.switch(on=False)
    assert torch.products == 4 * torch.synchronised
    load.switch(on=False)


def test_a_load_that_fails_says_so_and_is_not_waited_for(
    torch: Torch, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = cuda_load(Device("GPU-uuid-1", "H100"))
    assert load is not None

    def fail(*factors: str, out: str) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch, "mm", fail)
    with pytest.raises(SourceError, match=r"^torch cannot keep the GPU busy: .*out of memory"):
        load.switch(on=True)
    load.switch(on=False)


def test_a_gpu_that_torch_does_not_see_has_no_load(torch: Torch) -> None:
    assert cuda_load(Device("GPU-other", "H100")) is None


@pytest.mark.parametrize("module", [None, SimpleNamespace()])
def test_without_a_torch_that_works_there_is_no_load(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setitem(sys.modules, "torch", module)
    assert cuda_load(Device("GPU-uuid-1", "H100")) is None
