"""Which GPUs the NVML source measures and lists, with the real pynvml on simulated GPUs."""

from collections.abc import Iterator

import pytest
from nvml_helpers import opened, why_not_opened
from simulated_nvml import (
    GPU_IS_LOST,
    NO_PERMISSION,
    SimulatedNvml,
)

from pytest_whq.sources.nvml.source import NvmlSource


@pytest.fixture
def four_gpus() -> Iterator[SimulatedNvml]:
    with SimulatedNvml(gpus=4) as nvml:
        for gpu, letter in zip(nvml.gpus, "abcd", strict=True):
            gpu.uuid = f"GPU-{letter * 8}-0000-0000-0000-00000000000{gpu.index}"
        yield nvml


def chosen(nvml: SimulatedNvml, devices: str | None = None) -> list[int]:
    """The numbers of the GPUs that the source measures, in its order."""
    uuids = [gpu.uuid for gpu in nvml.gpus]
    with opened(devices) as source:
        return [uuids.index(device.id) for device in source.devices()]


@pytest.mark.parametrize(
    ("devices", "numbers"),
    [
        (None, [0, 1, 2, 3]),
        ("all", [0, 1, 2, 3]),
        ("2", [2]),
        (" 3 , 1 ", [3, 1]),
        ("GPU-cccccccc-0000-0000-0000-000000000002", [2]),
        ("GPU-d", [3]),
        ("GPU-BBBB,0", [1, 0]),
        ("1,GPU-bbbb,1", [1]),
    ],
)
def test_devices_are_chosen_by_index_and_uuid(
    four_gpus: SimulatedNvml, devices: str | None, numbers: list[int]
) -> None:
    assert chosen(four_gpus, devices) == numbers


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        (
            "4",
            (
                "nvml: there is no GPU 4, the last is 3. "
                "Choose with --whq-devices from what `whq devices` lists."
            ),
        ),
        (
            "GPU-e",
            (
                "nvml: no GPU has a UUID that begins with GPU-e. "
                "Choose with --whq-devices from what `whq devices` lists."
            ),
        ),
        (
            "GPU-",
            (
                "nvml: 4 GPUs have a UUID that begins with GPU-. "
                "Choose with --whq-devices from what `whq devices` lists."
            ),
        ),
        ("first", "nvml: --whq-devices cannot be 'first'. Give indices, UUIDs (GPU-...) or all."),
        ("-1", "nvml: --whq-devices cannot be '-1'. Give indices, UUIDs (GPU-...) or all."),
        (" , ", "nvml: --whq-devices names no GPU. Give indices, UUIDs or all."),
    ],
)
def test_devices_that_cannot_be_chosen_have_their_sentence(
    four_gpus: SimulatedNvml, devices: str, sentence: str
) -> None:
    assert why_not_opened(devices) == (sentence, "source_error")


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [
        ("2,0", [2, 0]),
        ("1, 3", [1, 3]),
        ("GPU-cccc,GPU-a", [2, 0]),
        ("GPU-cccccccc-0000-0000-0000-000000000002", [2]),
        ("0,9,1", [0]),
        ("1,-1,2", [1]),
        ("3,GPU-nowhere,2", [3]),
        ("0,GPU-,1", [0]),
        ("2x,1", [2, 1]),
    ],
)
def test_without_a_choice_those_are_measured_that_cuda_sees(
    four_gpus: SimulatedNvml, monkeypatch: pytest.MonkeyPatch, visible: str, numbers: list[int]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert chosen(four_gpus) == numbers
    assert chosen(four_gpus, "1") == [1]


@pytest.mark.parametrize("visible", ["", "-1", "9,0", "NoDevFiles", "1,1"])
def test_where_cuda_sees_no_gpu_none_is_measured(
    four_gpus: SimulatedNvml, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert why_not_opened() == (
        (
            f"nvml: no GPU is visible, as CUDA_VISIBLE_DEVICES is {visible!r}. "
            "Change it, or choose GPUs with --whq-devices."
        ),
        "no_source",
    )


def test_indices_of_unlike_gpus_are_refused_unless_cuda_counts_by_bus(
    four_gpus: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    four_gpus.gpu(0).name = "NVIDIA L4"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert why_not_opened() == (
        (
            "nvml: CUDA_VISIBLE_DEVICES=0 counts GPUs fastest first, and those here differ, so which are "
            "meant is not known. Set CUDA_DEVICE_ORDER=PCI_BUS_ID, use UUIDs in CUDA_VISIBLE_DEVICES, "
            "or choose with --whq-devices."
        ),
        "source_error",
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,2,1,0")
    assert sorted(chosen(four_gpus)) == [0, 1, 2, 3]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-bbbb")
    assert chosen(four_gpus) == [1]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert chosen(four_gpus) == [0]


def test_a_gpu_that_is_not_ours_is_left_out_unless_it_is_named(four_gpus: SimulatedNvml) -> None:
    four_gpus.gpu(1).fail(code=NO_PERMISSION)
    assert chosen(four_gpus) == [0, 2, 3]
    sentence, code = why_not_opened("all")
    assert sentence.startswith("nvml: no permission to read GPU 1. Give this user")
    assert code == "source_error"


def test_without_permission_for_any_gpu_none_is_replaced_by_an_estimate(four_gpus: SimulatedNvml) -> None:
    for gpu in four_gpus.gpus:
        gpu.fail(code=NO_PERMISSION)
    assert why_not_opened() == (
        "nvml: no permission to open any GPU. Give this user read and write access to /dev/nvidia*.",
        "source_error",
    )


def test_every_device_is_listed_with_why_it_cannot_be_measured(
    four_gpus: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    four_gpus.gpu(2).fail("energy", "energy_field", "power", "power_field", code=GPU_IS_LOST)
    four_gpus.gpu(3).configure(mig_mode=1)
    listed = NvmlSource.list_devices()
    assert [(each.index, each.device.id) for each in listed] == [(g.index, g.uuid) for g in four_gpus.gpus]
    uuids = [gpu.uuid for gpu in four_gpus.gpus]
    assert [each.why_not for each in listed] == [
        None,
        None,
        (
            f"nvml: GPU 2 ({uuids[2]}) is lost: it fell off the bus. "
            "Reset it or reboot, or leave it out with --whq-devices."
        ),
        (
            f"nvml: GPU 3 ({uuids[3]}) is in MIG mode: it is measured only as a whole, "
            "when --whq-devices names it."
        ),
    ]
    assert (four_gpus.init_calls, four_gpus.shutdown_calls) == (1, 1)
