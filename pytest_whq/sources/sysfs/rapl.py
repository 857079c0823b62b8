"""Energy of CPU packages and their memory, by the counters that Linux shows in powercap (RAPL)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.cpu_name import cpu_name
from pytest_whq.sources.facts import ListedDevice
from pytest_whq.sources.sysfs.files import millionths_of, text_of
from pytest_whq.sources.sysfs.wrapping import WrappingCounter

_DRAM = "dram"
_ALLOW = "sudo chmod a+r /sys/class/powercap/*/energy_uj"


@dataclass(frozen=True, slots=True)
class _Zone:
    """One energy counter of powercap; ``inside`` is the zone in which it lies."""

    folder: Path
    name: str
    inside: "_Zone | None" = None

    @property
    def device(self) -> Device:
        """The zone as what is measured; the memory of each package has a name of its own."""
        if self.name == _DRAM:
            id_ = _DRAM if self.inside is None else f"{self.inside.name}-{_DRAM}"
            return Device(id_, "DRAM")
        return Device(self.name, cpu_name(), _long_term_limit_w(self.folder))

    def energy_j(self) -> float:
        """The counter now; raises `SourceError`."""
        path = self.folder / "energy_uj"
        try:
            return int(path.read_text("ascii")) / 1e6
        except PermissionError as error:
            raise SourceError(
                f"rapl: no permission to read {path}: Linux keeps the energy of CPUs for root. "
                f"Allow it until the next start with: {_ALLOW}"
            ) from error
        except (OSError, ValueError) as error:
            raise SourceError(f"rapl: {path} cannot be read: {error}. See the kernel's log.") from error


class RaplSource:
    """The energy of each CPU package and, where the machine tells it, of each package's memory.

    What lies inside a package (its cores, its graphics) and what holds packages (psys) is never added: those
    joules would count twice. ``root`` is where sysfs is mounted, ``now`` the clock of the readings. Raises
    `SourceError`, with the code ``no_source`` where Linux shows no package.
    """

    scope = "cpu"

    def __init__(self, root: Path = Path("/sys"), now: Callable[[], float] = now_s) -> None:
        self._now = now
        self._zones = [zone for zone, why_not in _zones(root) if why_not is None]
        if not self._zones:
            raise _nothing_there()
        for zone in self._zones:
            zone.energy_j()
        self._devices = tuple(zone.device for zone in self._zones)
        self._counters = [
            WrappingCounter(millionths_of(zone.folder / "max_energy_range_uj")) for zone in self._zones
        ]
        self.sensors = {device.id: ("energy counter",) for device in self._devices}

    @staticmethod
    def list_devices(root: Path = Path("/sys")) -> tuple[ListedDevice, ...]:
        """Every zone of its own, also psys, which is not measured. Raises `SourceError` where it has none."""
        listed = [ListedDevice(zone.device, why_not=why_not) for zone, why_not in _zones(root)]
        if not listed:
            raise _nothing_there()
        return tuple(listed)

    def devices(self) -> tuple[Device, ...]:
        """The packages and their memory, with the long-term power limit of each package."""
        return self._devices

    def read(self) -> tuple[Reading, ...]:
        """The joules of each since some moment before the first reading."""
        return tuple(map(self._reading, self._devices, self._zones, self._counters))

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return tuple(DeviceState(device.id) for device in self._devices)

    def close(self) -> None:
        """Nothing is held."""

    def _reading(self, device: Device, zone: _Zone, counter: WrappingCounter) -> Reading:
        energy_j, now_s = zone.energy_j(), self._now()
        return Reading(device.id, now_s, counter.joules(now_s, energy_j))


def _zones(root: Path) -> Iterator[tuple[_Zone, str | None]]:
    """The packages, their memory and psys, each once, with the sentence why one is not measured."""
    seen: set[str] = set()
    for zone in _all_zones(root / "class" / "powercap"):
        # A package shows the same joules through a second interface (intel-rapl-mmio), in its turn.
        if (zone.inside is not None and zone.name != _DRAM) or zone.device.id in seen:
            continue
        seen.add(zone.device.id)
        why_not = None
        if zone.name == "psys":
            why_not = "rapl: psys is not measured: it holds the packages, whose energy would count twice."
        yield zone, why_not


def _all_zones(folder: Path) -> Iterator[_Zone]:
    """Every zone that counts energy, an outer one before those inside it, MSR before MMIO."""
    known: dict[str, _Zone] = {}
    for path in sorted(folder.glob("*:*"), key=_place):
        name = text_of(path / "name")
        if name is None or not (path / "energy_uj").exists():
            continue
        known[path.name] = _Zone(path, name, known.get(path.name.rpartition(":")[0]))
        yield known[path.name]


def _place(path: Path) -> tuple[str, list[int]]:
    control, *numbers = path.name.split(":")
    return control, [int(number) if number.isdecimal() else 0 for number in numbers]


def _long_term_limit_w(folder: Path) -> float | None:
    for path in folder.glob("constraint_*_name"):
        if text_of(path) == "long_term":
            return millionths_of(path.with_name(path.name.replace("_name", "_power_limit_uw")))
    return None


def _nothing_there() -> SourceError:
    return SourceError(
        "rapl: Linux shows no energy counter of a CPU (/sys/class/powercap). Virtual machines and containers "
        "often hide it; on a machine of your own, load the module intel_rapl_msr.",
        "no_source",
    )
