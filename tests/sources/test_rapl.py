import re
from pathlib import Path

import pytest
from sysfs_tree import write, zone

from pytest_whq.errors import ReasonCode, SourceError
from pytest_whq.model import Device, Reading
from pytest_whq.sources import Opening, open_source, standing_in
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.combined import CombinedSource
from pytest_whq.sources.facts import facts_of
from pytest_whq.sources.sysfs import rapl
from pytest_whq.sources.sysfs.rapl import RaplSource
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window


@pytest.fixture(autouse=True)
def named_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapl, "cpu_name", lambda: "Xeon")


@pytest.fixture
def two_sockets(tmp_path: Path) -> Path:
    """A server of two packages with cores and memory, with psys and a second way to the first package."""
    for socket in (0, 1):
        zone(tmp_path, f"intel-rapl:{socket}", f"package-{socket}", 5_000_000)
        zone(tmp_path, f"intel-rapl:{socket}:0", "core", 3_000_000)
        zone(tmp_path, f"intel-rapl:{socket}:1", "dram", 1_000_000)
    zone(tmp_path, "intel-rapl:2", "psys", 9_000_000)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 5_000_000)
    write(tmp_path / "class/powercap/intel-rapl", name="", enabled=1)
    limits = {"constraint_0_name": "short_term", "constraint_0_power_limit_uw": 420_000_000}
    limits |= {"constraint_1_name": "long_term", "constraint_1_power_limit_uw": 350_000_000}
    write(tmp_path / "class/powercap/intel-rapl:0", **limits)
    return tmp_path


def set_uj(root: Path, place: str, uj: int) -> None:
    write(root / "class/powercap" / place, energy_uj=uj)


def joules(source: RaplSource) -> list[float | None]:
    return [reading.energy_j for reading in source.read()]


def test_packages_and_their_memory_are_measured_and_nothing_twice(two_sockets: Path) -> None:
    clock = FakeClock()
    source = RaplSource(two_sockets, clock.now)
    assert source.devices() == (
        Device("package-0", "Xeon", 350.0),
        Device("package-0-dram", "DRAM"),
        Device("package-1", "Xeon"),
        Device("package-1-dram", "DRAM"),
    )
    assert joules(source) == [5.0, 1.0, 5.0, 1.0]
    assert source.read()[1] == Reading("package-0-dram", 1000.0, energy_j=1.0)
    facts = facts_of(source)
    assert (facts.scope, facts.estimated, facts.sensors["package-1"]) == ("cpu", False, ("energy counter",))
    assert [state.device_id for state in source.state()] == [device.id for device in source.devices()]


def test_psys_is_listed_with_why_it_is_left_out(two_sockets: Path) -> None:
    listed = RaplSource.list_devices(two_sockets)
    assert [each.device.id for each in listed if each.why_not is None] == [
        *("package-0", "package-0-dram", "package-1", "package-1-dram")
    ]
    (psys,) = (each for each in listed if each.why_not is not None)
    assert psys.why_not == (
        "rapl: psys is not measured: it holds the packages, whose energy would count twice."
    )


def test_the_tenth_socket_comes_after_the_second(tmp_path: Path) -> None:
    for socket in (10, 2):
        zone(tmp_path, f"intel-rapl:{socket}", f"package-{socket}")
    assert [device.id for device in RaplSource(tmp_path).devices()] == ["package-2", "package-10"]


def test_a_counter_that_begins_anew_at_the_end_of_its_range_goes_on(tmp_path: Path) -> None:
    clock = FakeClock()
    zone(tmp_path, "intel-rapl:0", "package-0", 99_000_000, range_uj=100_000_000)
    source = RaplSource(tmp_path, clock.now)
    assert joules(source) == [99.0]
    for uj, energy_j in ((2_000_000, 102.0), (98_000_000, 198.0), (1_000_000, 201.0)):
        clock.sleep(1.0)
        set_uj(tmp_path, "intel-rapl:0", uj)
        assert joules(source) == [energy_j]


@pytest.mark.parametrize("range_uj", [262_143_000_000, "unknown"])
def test_a_counter_that_was_reset_falls(tmp_path: Path, range_uj: object) -> None:
    clock = FakeClock()
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 50_000_000)
    write(folder, max_energy_range_uj=range_uj)
    source = RaplSource(tmp_path, clock.now)
    assert joules(source) == [50.0]
    clock.sleep(1.0)
    # A turn of the counter would mean 262 kW.
    set_uj(tmp_path, "intel-rapl:0", 3_000_000)
    assert joules(source) == [3.0]


class Package(RaplSource):
    """A package that draws 100 W in the clock's time, with a counter that turns at 60 J."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.root, self.clock = root, clock
        zone(root, "intel-rapl:0", "package-0", 1, range_uj=60_000_000)
        super().__init__(root, clock.now)

    def read(self) -> tuple[Reading, ...]:
        set_uj(self.root, "intel-rapl:0", round(self.clock.now() * 100e6) % 60_000_000)
        return super().read()


def test_a_sum_with_a_gpu_has_the_energy_of_each_device_though_the_counter_turns(tmp_path: Path) -> None:
    clock = FakeClock()
    gpu = ScriptedSource(clock, watts=360.0, period_s=1e-6)
    source = CombinedSource([gpu, Package(tmp_path, clock)])
    measurement = measured_window(source, clock, lambda: clock.sleep(2.0), idle_ok=True)
    assert source.scope == "gpu+cpu"
    assert {device.id: device.energy_j for device in measurement.devices} == {
        "SCRIPTED-0": pytest.approx(720.0, rel=1e-4),
        "package-0": pytest.approx(200.0, rel=1e-4),
    }
    assert measurement.energy_j == pytest.approx(920.0, rel=1e-4)
    assert measurement.valid


def test_what_may_not_be_read_says_what_to_do(two_sockets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_text = Path.read_text

    def deny(path: Path, *args: object, **kwargs: object) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(path, *args, **kwargs)  # type: ignore[arg-type]

    # Root may read everything, and whoever runs this may be root.
    monkeypatch.setattr(Path, "read_text", deny)
    sentence = (
        f"rapl: no permission to read {two_sockets}/class/powercap/intel-rapl:0/energy_uj: Linux keeps the "
        "energy of CPUs for root. Allow it until the next start with: "
        "sudo chmod a+r /sys/class/powercap/*/energy_uj"
    )
    with pytest.raises(SourceError, match=f"^{re.escape(sentence)}$") as caught:
        RaplSource(two_sockets)
    assert caught.value.code == "source_error"


def test_a_counter_that_is_gone_is_an_error_that_names_it(two_sockets: Path) -> None:
    source = RaplSource(two_sockets)
    (two_sockets / "class/powercap/intel-rapl:1/energy_uj").unlink()
    with pytest.raises(SourceError, match=r"^rapl: .*intel-rapl:1/energy_uj cannot be read: "):
        source.read()


def test_a_machine_that_shows_no_package_has_no_source(tmp_path: Path) -> None:
    for opening in (RaplSource, RaplSource.list_devices):
        with pytest.raises(SourceError, match=r"^rapl: Linux shows no energy counter of a CPU") as caught:
            opening(tmp_path)
        assert caught.value.code == "no_source"


def refuses(sentence: str, code: ReasonCode) -> Opening:
    def opening(devices: str | None) -> PowerSource:
        raise SourceError(sentence, code)

    return opening


def test_auto_measures_the_cpu_where_there_is_no_gpu(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0")
    no_gpu = refuses("nvml: none.", "no_source")
    with standing_in({"nvml": no_gpu, "rapl": lambda devices: RaplSource(tmp_path)}):
        assert open_source("auto").name == "rapl"


@pytest.mark.parametrize("code", ["no_source", "source_error"])
def test_auto_estimates_a_cpu_that_cannot_be_read_and_says_why(code: ReasonCode) -> None:
    with standing_in({"nvml": refuses("nvml: none.", "no_source"), "rapl": refuses("rapl: no.", code)}):
        opened = open_source("auto")
    assert (opened.name, opened.fell_back) == ("estimate", "nvml: none. rapl: no.")
