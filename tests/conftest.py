"""Fixtures that all tests share."""

import uuid
from collections.abc import Iterator

import pytest
from simulated_nvml import SimulatedNvml

pytest_plugins = ["pytester", "measured_project", "readme_project", "simulated_project"]


@pytest.fixture(autouse=True)
def no_choice_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the choice of GPUs to the test, whatever the machine that runs it has set."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


@pytest.fixture(autouse=True)
def not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest and the plugin write as they do for a person, wherever these tests run."""
    for variable in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def simulated_nvml() -> Iterator[SimulatedNvml]:
    """One simulated GPU that draws 70 W; its counter ticks every 100 ms at a phase fixed by the seed."""
    with SimulatedNvml() as nvml:
        # One of its own, or tests that run at the same time wait for each other to measure on it.
        nvml.gpu(0).uuid = f"GPU-{uuid.uuid4()}"
        yield nvml
