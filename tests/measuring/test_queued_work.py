"""Work queued on devices, by modules of the frameworks' shape: none of them is installed for it."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from bench import Bench

from pytest_whq.measuring.queued_work import wait_for_queued_work

FRAMEWORKS = ("torch", "jax", "jax._src.xla_bridge", "cupy")


@pytest.fixture(autouse=True)
def _none_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FRAMEWORKS:
        monkeypatch.delitem(sys.modules, name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, name: str, module: object) -> None:
    monkeypatch.setitem(sys.modules, name, module)


class Cuda:
    """``torch.cuda`` of four GPUs: the second is current, the third holds memory."""

    def __init__(self, initialised: bool = True) -> None:
        self.initialised = initialised
        self.synchronised: list[int] = []

    def is_initialized(self) -> bool:
        return self.initialised

    def device_count(self) -> int:
        return 4

    def current_device(self) -> int:
        return 1

    def memory_reserved(self, device: int) -> int:
        return 2_000_000 if device == 2 else 0

    def synchronize(self, device: int) -> None:
        self.synchronised.append(device)


def test_torch_is_waited_for_on_the_devices_that_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda()
    load(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    wait_for_queued_work()
    assert cuda.synchronised == [1, 2]


def test_torch_that_has_not_used_a_device_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda(initialised=False)
    load(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    wait_for_queued_work()
    assert cuda.synchronised == []


class Jax:
    """``jax`` on a CPU and two GPUs."""

    def __init__(self) -> None:
        self.waited_for: list[str] = []
        self.asked = 0

    def local_devices(self) -> list[Any]:
        self.asked += 1
        names = {"cpu:0": "cpu", "gpu:0": "gpu", "gpu:1": "gpu"}
        return [SimpleNamespace(name=name, platform=platform) for name, platform in names.items()]

    def device_put(self, value: float, device: Any) -> "JaxArray":
        return JaxArray(self, device.name)


class JaxArray:
    def __init__(self, jax: Jax, device: str) -> None:
        self.jax, self.device = jax, device

    def __add__(self, other: float) -> "JaxArray":
        return self

    def block_until_ready(self) -> None:
        self.jax.waited_for.append(self.device)


@pytest.mark.parametrize(("initialised", "waited_for"), [(True, ["gpu:0", "gpu:1"]), (False, [])])
def test_jax_is_waited_for_where_its_backend_runs(
    monkeypatch: pytest.MonkeyPatch, initialised: bool, waited_for: list[str]
) -> None:
    jax = Jax()
    load(monkeypatch, "jax", jax)
    load(monkeypatch, "jax._src.xla_bridge", SimpleNamespace(backends_are_initialized=lambda: initialised))
    wait_for_queued_work()
    assert jax.waited_for == waited_for
    assert jax.asked == int(initialised)


def test_jax_that_is_only_imported_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    jax = Jax()
    load(monkeypatch, "jax", jax)
    wait_for_queued_work()
    assert (jax.asked, jax.waited_for) == (0, [])


def test_cupy_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited_for = []
    device = SimpleNamespace(synchronize=lambda: waited_for.append("device"))
    load(monkeypatch, "cupy", SimpleNamespace(cuda=SimpleNamespace(Device=lambda: device)))
    wait_for_queued_work()
    assert waited_for == ["device"]


def test_what_fails_there_is_left_to_the_call_and_the_others_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = Cuda()
    cuda.is_initialized = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    waited_for = []
    device = SimpleNamespace(synchronize=lambda: waited_for.append("device"))
    load(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    load(monkeypatch, "jax", object())
    load(monkeypatch, "jax._src.xla_bridge", object())
    load(monkeypatch, "cupy", SimpleNamespace(cuda=SimpleNamespace(Device=lambda: device)))
    wait_for_queued_work()
    assert waited_for == ["device"]


def test_a_half_imported_framework_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    load(monkeypatch, "torch", SimpleNamespace())
    wait_for_queued_work()


def test_none_of_them_is_imported_for_it() -> None:
    code = (
        "import sys; from pytest_whq.measuring.queued_work import wait_for_queued_work as wait; wait();"
        "assert not {'torch', 'jax', 'cupy', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_window_opens_and_closes_when_queued_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    cuda = Cuda()
    monkeypatch.setattr(cuda, "synchronize", lambda device: bench.idle(0.2))
    load(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    window = bench.measure(1.0)
    # Two devices are waited for before it opens, and again before it closes.
    assert window.measurement.duration_s == pytest.approx(1.4)
