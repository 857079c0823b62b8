"""How the NVML source opens and closes, with the real pynvml on simulated GPUs."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pynvml  # type: ignore[import-untyped]
import pytest
from nvml_helpers import one_reading, opened, why_not_opened, why_not_read
from simulated_nvml import (
    DRIVER_NOT_LOADED,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    SimulatedGpu,
    SimulatedNvml,
)

from pytest_whq.errors import SourceError
from pytest_whq.sources import open_source
from pytest_whq.sources.nvml.source import NvmlSource


@pytest.fixture
def gpu(simulated_nvml: SimulatedNvml) -> SimulatedGpu:
    """A GPU whose counter is always up to date, so that its readings are known."""
    return simulated_nvml.gpu(0).configure(counter_period_ms=0)


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (
            DRIVER_NOT_LOADED,
            (
                "nvml: driver not loaded. "
                "Load the NVIDIA driver until nvidia-smi works, or choose another --whq-source."
            ),
            "no_source",
        ),
        (
            NO_PERMISSION,
            (
                "nvml: no permission to talk to the driver. "
                "Give this user read and write access to /dev/nvidia*."
            ),
            "source_error",
        ),
        (
            18,
            "nvml: library and driver differ in version. Load the installed driver, or reboot.",
            "source_error",
        ),
        (
            30,
            "nvml: it cannot be opened (Simulated error 30). See what nvidia-smi says.",
            "source_error",
        ),
    ],
    ids=["driver", "permission", "version", "other"],
)
def test_nvml_that_cannot_be_initialised_has_its_sentence(
    simulated_nvml: SimulatedNvml, error: int, sentence: str, code: str
) -> None:
    simulated_nvml.fail_init(error)
    assert why_not_opened() == (sentence, code)


def test_an_absent_library_has_its_sentence(tmp_path: Path) -> None:
    # Not a library: the loader takes the first of this name and goes no further.
    (tmp_path / "libnvidia-ml.so.1").write_bytes(b"")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    assert _in_a_new_process(OPEN_AND_SAY, environment) == (
        "no_source nvml: libnvidia-ml.so.1 not found. "
        "Install the NVIDIA driver, or give the container its GPUs (docker run --gpus all).\n"
    )


def test_an_old_pynvml_in_front_of_the_binding_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "pynvml").mkdir()
    (tmp_path / "pynvml/__init__.py").write_text("class NVMLError(Exception): pass\ndef nvmlInit(): pass\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert _in_a_new_process(OPEN_AND_SAY, environment) == (
        "source_error nvml: the old package pynvml stands in front of nvidia-ml-py, whose module has the "
        "same name. Take it away (pip uninstall pynvml) and bring the other back "
        "(pip install --force-reinstall nvidia-ml-py).\n"
    )


def test_a_binding_that_lacks_newer_names_is_asked_by_the_older_ones(
    gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "NVMLLibraryMismatchError",
        "nvmlDeviceGetTemperatureV",
        "nvmlDeviceGetCurrentClocksEventReasons",
    ):
        monkeypatch.delattr(pynvml, name)
    with opened() as source:
        assert one_reading(source).energy_j is not None
        (state,) = source.state()
    assert (state.temperature_c, state.clocks_event_reasons) == (45.0, ())


def test_a_driver_without_gpus_has_its_sentence() -> None:
    with SimulatedNvml(gpus=0):
        assert why_not_opened() == (
            "nvml: the driver has no GPU. See what nvidia-smi says, or choose another --whq-source.",
            "no_source",
        )


def test_a_gpu_that_shows_nothing_has_its_sentence(gpu: SimulatedGpu) -> None:
    gpu.fail("energy", "energy_field", "power", "power_field", code=NOT_SUPPORTED)
    assert why_not_opened() == (
        (
            f"nvml: GPU 0 ({gpu.uuid}) shows neither energy nor power. "
            "Leave it out with --whq-devices, or choose another --whq-source."
        ),
        "source_error",
    )


def test_a_gpu_lost_before_opening_has_its_sentence(gpu: SimulatedGpu) -> None:
    gpu.fail("energy", "energy_field", "power", "power_field", code=GPU_IS_LOST)
    sentence, code = why_not_opened()
    assert sentence.startswith(f"nvml: GPU 0 ({gpu.uuid}) is lost: it fell off the bus.")
    assert code == "source_error"


def test_nothing_is_opened_by_importing_and_everything_is_closed_in_the_end(
    simulated_nvml: SimulatedNvml,
) -> None:
    program = "import pytest_whq.sources.nvml.source"
    assert _in_a_new_process(program, {**os.environ, **simulated_nvml.env()}) == ""
    assert simulated_nvml.init_calls == 0
    source = NvmlSource()
    assert simulated_nvml.init_calls == 1
    source.close()
    source.close()
    assert (simulated_nvml.init_calls, simulated_nvml.shutdown_calls) == (1, 1)
    assert why_not_read(source) == "nvml: the source is closed."


def test_a_source_that_cannot_be_opened_closes_nvml_again(
    simulated_nvml: SimulatedNvml, gpu: SimulatedGpu
) -> None:
    why_not_opened("7")
    assert (simulated_nvml.init_calls, simulated_nvml.shutdown_calls) == (1, 1)


def test_the_sources_table_opens_it_by_name(gpu: SimulatedGpu) -> None:
    chosen = open_source("auto", "0")
    with contextlib.closing(chosen.source):
        assert (chosen.name, chosen.facts.scope, chosen.facts.driver) == ("nvml", "gpu", "580.95.05")


# -- other processes of ours ---------------------------------------------------------------------

OPEN_AND_SAY = """
from pytest_whq.errors import SourceError
from pytest_whq.sources.nvml.source import NvmlSource
try:
    source = NvmlSource()
    print(*(device.id for device in source.devices()))
    source.close()
except SourceError as error:
    print(error.code, error)
"""


def _in_a_new_process(program: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


def test_a_new_process_reads_the_same_gpus(simulated_nvml: SimulatedNvml) -> None:
    environment = {**os.environ, **simulated_nvml.env()}
    assert _in_a_new_process(OPEN_AND_SAY, environment) == f"{simulated_nvml.gpu(0).uuid}\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_opens_nvml_for_itself_and_leaves_the_parent_alone(
    simulated_nvml: SimulatedNvml, gpu: SimulatedGpu
) -> None:
    with opened() as source:
        child = os.fork()
        if not child:
            status = 1
            with contextlib.suppress(SourceError):
                status = 42 if one_reading(source).energy_j is not None else 2
                source.close()
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
        assert simulated_nvml.last_init_pid == child
        assert simulated_nvml.shutdown_calls == 1
        assert one_reading(source).energy_j is not None
        assert simulated_nvml.init_calls == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_that_never_reads_closes_nothing(simulated_nvml: SimulatedNvml) -> None:
    with opened() as source:
        child = os.fork()
        if not child:
            source.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert (simulated_nvml.init_calls, simulated_nvml.shutdown_calls) == (1, 0)


# -- MIG -----------------------------------------------------------------------------------------


def test_a_board_in_mig_mode_is_refused(gpu: SimulatedGpu) -> None:
    gpu.configure(mig_mode=1)
    assert why_not_opened() == (
        (
            f"nvml: GPU 0 ({gpu.uuid}) is in MIG mode, where only the whole board's power can be read. "
            "Turn MIG off, or measure all of its instances together with --whq-devices."
        ),
        "mig",
    )


def test_a_board_in_mig_mode_is_measured_whole_where_whq_devices_names_it(gpu: SimulatedGpu) -> None:
    gpu.configure(mig_mode=1)
    with opened(gpu.uuid) as source:
        assert one_reading(source).energy_j is not None


def test_a_board_that_knows_no_mig_is_measured(gpu: SimulatedGpu) -> None:
    gpu.configure(mig_mode=-1)
    with opened() as source:
        assert source.devices()[0].id == gpu.uuid


def test_a_mig_instance_made_visible_is_refused(gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0d2f")
    sentence, code = why_not_opened()
    assert sentence.startswith("nvml: CUDA_VISIBLE_DEVICES names the MIG instance MIG-0d2f, and only")
    assert code == "mig"
