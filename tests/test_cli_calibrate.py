"""``whq devices --calibrate``, on a simulated GPU that idles."""

import json
import sys
import threading
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from simulated_nvml import DRIVER_NOT_LOADED, SimulatedNvml

from pytest_whq.calibrating import gpus, measurable
from pytest_whq.calibrating.calibration import Calibration
from pytest_whq.cli import main
from pytest_whq.model import Device
from pytest_whq.sources.nvml.source import NvmlSource

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make no load on a machine that could."""
    monkeypatch.setitem(sys.modules, "torch", None)


def test_it_prints_a_table_and_writes_json(
    simulated_nvml: SimulatedNvml, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, gpu = tmp_path / "h100.json", simulated_nvml.gpu(0)
    assert main(["devices", "--calibrate", "--seconds", "0.5", "--json", str(path)]) == 0
    output = capsys.readouterr()
    assert output.err == f"whq: calibrating {gpu.name} ({gpu.uuid})\n"
    lines = output.out.splitlines()
    assert lines[0] == f"{gpu.name}, 700 W limit ({gpu.uuid})"
    assert [line.split("   ")[0] for line in lines[2:6]] == [
        "energy counter",
        "instant power",
        "power usage",
        "average power",
    ]
    assert fnmatchcase(lines[6], "Counter over integrated power, since some moment: ?.??? over 0.5 s.")
    written = json.loads(path.read_text("utf-8"))
    assert (written["format"], written["driver"]) == (1, "580.95.05")
    (device,) = written["devices"]
    assert (device["device"]["id"], device["load"], device["busy_w"]) == (gpu.uuid, None, 700.0)
    assert device["idle_w"] == pytest.approx(70, rel=0.02)
    assert device["sensors"][0]["refresh_s"] == pytest.approx(0.1, rel=0.05)
    assert [one["precision"] for one in device["shortest"]] == [0.01, 0.05]


@pytest.mark.parametrize("arguments", [["--seconds", "1"], ["--json", "x.json"], ["--devices", "0"]])
def test_its_options_are_of_use_with_it_only(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", *arguments]) == 2
    assert capsys.readouterr().err == (
        "whq: --devices, --seconds and --json go with --calibrate (see whq devices --help).\n"
    )


@pytest.mark.parametrize(("seconds", "shown"), [("0", "0"), ("-1", "-1"), ("601", "601"), ("nan", "nan")])
def test_seconds_are_bounded(seconds: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--calibrate", f"--seconds={seconds}"]) == 2
    assert capsys.readouterr().err == f"whq: --seconds must be above 0 and at most 600, not {shown}.\n"


def test_without_a_gpu_it_says_why(simulated_nvml: SimulatedNvml, capsys: pytest.CaptureFixture[str]) -> None:
    simulated_nvml.fail_init(DRIVER_NOT_LOADED)
    assert main(["devices", "--calibrate"]) == 2
    assert capsys.readouterr().err == (
        "whq: nvml: driver not loaded. Load the NVIDIA driver until nvidia-smi works, "
        "or choose another --whq-source.\n"
    )


def test_a_sensor_that_hangs_ends_it_with_a_sentence(
    simulated_nvml: SimulatedNvml, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = threading.Event()

    def hang() -> None:
        hung.wait(30)

    probes = NvmlSource.probes
    hanging = lambda source: [replace(probe, look=hang) for probe in probes(source)]  # noqa: E731
    monkeypatch.setattr(NvmlSource, "probes", hanging)
    assert main(["devices", "--calibrate", "--driver-timeout=0.2"]) == 2
    hung.set()
    assert capsys.readouterr().err.splitlines()[-1] == (
        "whq: The power source nvml did not read its sensors within 200 ms: its driver may hang. "
        "See the system's log, or let it take longer with --driver-timeout."
    )


@pytest.mark.parametrize("arguments", [[], ["--calibrate"]])
def test_the_driver_timeout_is_a_number_of_seconds(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", *arguments, "--driver-timeout=soon"]) == 2
    assert capsys.readouterr().err == (
        "whq: --driver-timeout must be a number of seconds above 0, not 'soon'.\n"
    )


def test_what_a_load_has_shown_is_kept_and_listed(
    simulated_nvml: SimulatedNvml,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    gpu, kept = simulated_nvml.gpu(0), tmp_path / "pytest-whq" / "boards.json"
    device = Device(gpu.uuid, gpu.name, 700.0)
    found = Calibration(device, "simulated", 70.0, 450.0, (), (), (), "whole", (0.0, 0.005))
    idled = Calibration(replace(device, id="GPU-idle"), None, 70.0, 700.0, (), (), ())
    monkeypatch.setattr(gpus, "calibrate_gpus", lambda *_, **__: ("580.95.05", (found, idled)))
    assert main(["devices", "--calibrate"]) == 0
    (board,) = json.loads(kept.read_text("utf-8"))["boards"]
    assert (board["id"], board["counter"], board["settling_s"]) == (gpu.uuid, "whole", [0.0, 0.005])
    assert capsys.readouterr().err == f"whq: kept in {kept}, for windows on these boards\n"
    assert main(["devices"]) == 0
    listed = capsys.readouterr().out.splitlines()[0]
    assert listed.endswith(f"instant power, calibrated on {board['calibrated'][:10]}")


def test_a_file_of_boards_that_cannot_be_read_is_said_where_devices_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(measurable, "list_measurable", lambda *_: measurable.Listing((), ("nothing",)))
    (tmp_path / "pytest-whq").mkdir()
    (tmp_path / "pytest-whq" / "boards.json").write_text("[]", "utf-8")
    assert main(["devices"]) == 0
    sentence = (
        f"{tmp_path / 'pytest-whq' / 'boards.json'}: it is [], but must be an object. "
        "Write it anew with whq devices --calibrate."
    )
    assert sentence in capsys.readouterr().out.splitlines()


def test_where_nothing_can_be_kept_the_calibration_is_shown_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pytest-whq").write_text("a file where the folder should be", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = Calibration(Device("GPU-1", "NVIDIA H200"), "simulated", 70.0, 450.0, (), (), (), "whole")
    monkeypatch.setattr(gpus, "calibrate_gpus", lambda *_, **__: (None, (found,)))
    assert main(["devices", "--calibrate"]) == 0
    output = capsys.readouterr()
    assert "The counter sees all that is drawn." in output.out.splitlines()
    assert "boards.json cannot be written" in output.err
