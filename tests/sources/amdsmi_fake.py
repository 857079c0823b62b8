"""A module of the shape of ROCm's amdsmi, whose GPUs follow a clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

from pytest_whq.testing import FakeClock

RESOLUTION_UJ = 15.25
"""What one count is worth on an MI300X, as far as binary fractions tell it exactly."""


class AmdSmiException(Exception):  # noqa: N818 - its own name
    """The base of all that amdsmi raises."""


class AmdSmiLibraryException(AmdSmiException):
    def __init__(self, err_code: int) -> None:
        self.err_code = err_code
        super().__init__(f"Error code:\n\t{err_code} | AMDSMI_STATUS")


class AmdSmiRetryException(AmdSmiLibraryException):
    """The GPU is busy."""


@dataclass
class FakeGpu:
    """One processor: it draws ``watts``, and counts unless ``counts`` is False.

    ``steps`` are corrections of the counter by joules, from a moment on; ``told`` stands for what amdsmi
    tells by a name, and ``errors`` for what it raises.
    """

    clock: FakeClock
    uuid: str = "GPU-0"
    bdf: str = "0000:c1:00.0"
    watts: float = 305.0
    counts: bool = True
    key: str = "energy_accumulator"
    powers: dict[str, Any] = field(default_factory=lambda: {"current_socket_power": 305})
    steps: Callable[[float], float] = lambda time_s: 0.0
    told: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)

    def ask(self, name: str) -> Any:
        if (error := self.errors.get(name)) is not None:
            raise error
        return self.told[name] if name in self.told else getattr(self, f"_{name}")()

    def _energy_count(self) -> dict[str, Any]:
        now_s = self.clock.now()
        energy_j = self.watts * now_s + self.steps(now_s) if self.counts else 0.0
        count = round(energy_j * 1e6 / RESOLUTION_UJ)
        return {self.key: count, "counter_resolution": RESOLUTION_UJ, "timestamp": round(now_s * 1e9)}

    def _power_info(self) -> dict[str, Any]:
        names = ("current_socket_power", "average_socket_power", "gfx_voltage", "power_limit")
        return dict.fromkeys(names, "N/A") | self.powers

    def _power_cap_info(self) -> dict[str, Any]:
        return {"power_cap": 750_000_000, "max_power_cap": 750_000_000, "dpm_cap": 0}

    def _gpu_asic_info(self) -> dict[str, Any]:
        return {"market_name": "AMD Instinct MI300X", "asic_serial": "0xA1"}

    def _gpu_device_uuid(self) -> str:
        return self.uuid

    def _gpu_device_bdf(self) -> str:
        return self.bdf

    def _gpu_driver_info(self) -> dict[str, Any]:
        return {"driver_name": "amdgpu", "driver_version": "6.12.12"}

    def _temp_metric(self) -> int:
        return 47


def fake_amdsmi(gpus: list[FakeGpu], fails: AmdSmiException | None = None) -> ModuleType:
    """The module, whose opening ``fails``."""

    def start() -> None:
        if fails is not None:
            raise fails

    def asked(name: str) -> Callable[..., Any]:
        return lambda gpu, *args: gpu.ask(name)

    module = ModuleType("amdsmi")
    names = (
        *("energy_count", "power_info", "power_cap_info", "temp_metric"),
        *("gpu_asic_info", "gpu_device_uuid", "gpu_device_bdf", "gpu_driver_info"),
    )
    vars(module).update({f"amdsmi_get_{name}": asked(name) for name in names})
    vars(module).update(
        amdsmi_init=start,
        amdsmi_get_processor_handles=lambda: list(gpus),
        AmdSmiException=AmdSmiException,
        AmdSmiRetryException=AmdSmiRetryException,
        AmdSmiTemperatureType=SimpleNamespace(EDGE=0, HOTSPOT=1),
        AmdSmiTemperatureMetric=SimpleNamespace(CURRENT=0),
    )
    return module
