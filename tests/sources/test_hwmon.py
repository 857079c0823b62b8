from pathlib import Path

import pytest
from sysfs_tree import chip, write

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.facts import facts_of
from pytest_whq.sources.sysfs.hwmon import HwmonSource
from pytest_whq.testing import FakeClock


def radeon(root: Path, number: int = 0, address: str = "0000:03:00.0", **files: object) -> Path:
    """An AMD GPU as amdgpu shows it."""
    shown = {"power1_average": 55_000_000, "power1_cap": 303_000_000, "temp1_input": 47_500}
    folder = chip(root, number, "amdgpu", address, **(shown | files))
    write(folder / "device", device="0x744c")
    return folder


def arc(root: Path, number: int = 1, driver: str = "xe", **files: object) -> Path:
    """An Intel GPU as xe or i915 shows it."""
    folder = chip(root, number, driver, f"0000:0{3 + number}:00.0", **files)
    write(folder / "device", device="0xe20b")
    return folder


def grace(root: Path, number: int, meter: str, watts: int) -> None:
    """A power meter of ACPI, which keeps its files beside the folder of its chip."""
    folder = chip(root, number, "power_meter", f"ACPI000D:0{number}")
    files = {"power1_average": watts * 1_000_000, "power1_average_interval": 50}
    write(folder / "device", power1_oem_info=meter, **files)


def why_not(root: Path, devices: str | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        HwmonSource(devices, root)
    return str(caught.value)


def test_an_amd_gpu_is_measured_by_its_power(tmp_path: Path) -> None:
    clock = FakeClock()
    radeon(tmp_path)
    source = HwmonSource(None, tmp_path, clock.now)
    assert source.devices() == (Device("0000:03:00.0", "AMD GPU 0x744c", 303.0),)
    assert source.read() == (Reading("0000:03:00.0", 1000.0, power_w=55.0),)
    assert source.state() == (DeviceState("0000:03:00.0", temperature_c=47.5),)
    facts = facts_of(source)
    assert (facts.scope, facts.sensors) == ("gpu", {"0000:03:00.0": ("average power",)})


def test_power_of_this_instant_goes_before_its_average(tmp_path: Path) -> None:
    radeon(tmp_path, power1_input=61_000_000)
    source = HwmonSource(None, tmp_path)
    assert source.sensors == {"0000:03:00.0": ("instant power",)}
    assert source.read()[0].power_w == 61.0


def test_a_boards_own_name_and_id_are_taken_where_it_has_them(tmp_path: Path) -> None:
    folder = radeon(tmp_path)
    write(folder / "device", product_name="AMD Instinct MI300X OAM", unique_id="8a14bc3e")
    (device,) = HwmonSource(None, tmp_path).devices()
    assert (device.id, device.name) == ("8a14bc3e", "AMD Instinct MI300X OAM")


@pytest.mark.parametrize("driver", ["i915", "xe"])
def test_an_intel_gpu_is_measured_by_its_counter(tmp_path: Path, driver: str) -> None:
    arc(tmp_path, driver=driver, energy1_input=7_500_000, power1_max=0)
    arc(tmp_path, 2, driver=f"{driver}_gt0", energy1_input=5_000_000)
    source = HwmonSource(None, tmp_path)
    assert source.devices() == (Device("0000:04:00.0", "Intel GPU 0xe20b", None),)
    assert source.read()[0].energy_j == 7.5
    assert source.sensors["0000:04:00.0"] == ("energy counter",)
    assert source.state() == (DeviceState("0000:04:00.0"),)


def test_a_counter_that_is_always_0_gives_way_to_the_other(tmp_path: Path) -> None:
    arc(tmp_path, energy1_input=0, energy2_input=4_000_000)
    assert HwmonSource(None, tmp_path).read()[0].energy_j == 4.0


def test_a_die_that_shows_nothing_is_named_and_not_measured(tmp_path: Path) -> None:
    radeon(tmp_path)
    radeon(tmp_path, 1, "0000:04:00.0", power1_average=0)
    assert [device.id for device in HwmonSource(None, tmp_path).devices()] == ["0000:03:00.0"]
    sentence = (
        "hwmon: AMD GPU 0x744c (0000:04:00.0) shows neither energy nor power, or always 0. "
        "Update its driver, or measure the board that it is a part of."
    )
    listed = HwmonSource.list_devices(tmp_path)
    assert [(each.index, each.why_not) for each in listed] == [(0, None), (1, sentence)]
    assert why_not(tmp_path, "all") == why_not(tmp_path, "1") == sentence


def test_devices_are_chosen_by_index_or_id(tmp_path: Path) -> None:
    radeon(tmp_path)
    arc(tmp_path, energy1_input=7_500_000)

    def chosen(devices: str) -> list[str]:
        return [device.id for device in HwmonSource(devices, tmp_path).devices()]

    assert chosen("1") == chosen("0000:04:00.0, 1") == ["0000:04:00.0"]
    assert chosen("all") == chosen("0,1") == ["0000:03:00.0", "0000:04:00.0"]
    assert why_not(tmp_path, "2") == (
        "hwmon: there is no device 2. Choose with --whq-devices from what `whq devices` lists."
    )
    assert why_not(tmp_path, " , ") == "hwmon: --whq-devices names no device. Give indices, ids or all."


def test_of_a_grace_the_whole_socket_is_measured_and_no_part_of_it(tmp_path: Path) -> None:
    meters = {"Module Power Socket 0": 600, "Grace Power Socket 0": 140, "CPU Power Socket 0": 90}
    for number, (meter, watts) in enumerate(meters.items()):
        grace(tmp_path, number, meter, watts)
    source = HwmonSource(None, tmp_path)
    assert source.devices() == (Device("Grace Power Socket 0", "NVIDIA Grace"),)
    assert source.read()[0].power_w == 140.0
    assert (source.scope, source.power_averaging_s) == ("cpu", {"Grace Power Socket 0": 0.05})


def test_the_scope_is_that_of_all_that_is_measured(tmp_path: Path) -> None:
    radeon(tmp_path)
    grace(tmp_path, 1, "Grace Power Socket 0", 140)
    assert HwmonSource(None, tmp_path).scope == "gpu+cpu"
    assert HwmonSource("0000:03:00.0", tmp_path).scope == "gpu"


def test_what_no_known_driver_shows_is_not_measured(tmp_path: Path) -> None:
    chip(tmp_path, 0, "nvme", "0000:01:00.0", temp1_input=40_000, power1_average=5_000_000)
    with pytest.raises(SourceError, match=r"^hwmon: no AMD or Intel GPU and no Grace shows") as caught:
        HwmonSource.list_devices(tmp_path)
    assert caught.value.code == "no_source"


@pytest.mark.parametrize("text", [None, "busy"])
def test_a_gpu_that_is_lost_is_an_error_that_names_it(tmp_path: Path, text: str | None) -> None:
    folder = radeon(tmp_path, temp1_input="?")
    source = HwmonSource(None, tmp_path)
    if text is None:
        (folder / "power1_average").unlink()
    else:
        write(folder, power1_average=text)
    with pytest.raises(SourceError, match=r"^hwmon: AMD GPU 0x744c \(0000:03:00.0\) cannot be read: "):
        source.read()
    assert source.state() == (DeviceState("0000:03:00.0"),)
