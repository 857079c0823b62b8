"""Folder trees of the shape of /sys/class/powercap and /sys/class/hwmon."""

from pathlib import Path


def write(folder: Path, **files: object) -> Path:
    """Write each of ``files`` with its value into ``folder``, which is made; returns that."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n", "utf-8")
    return folder


def zone(root: Path, place: str, name: str, uj: int = 0, range_uj: int = 262_143_328_850) -> Path:
    """A powercap zone, such as intel-rapl:0:1, as Linux lists each beside those that it lies in."""
    folder = root / "class/powercap" / place
    return write(folder, name=name, energy_uj=uj, max_energy_range_uj=range_uj)


def chip(root: Path, number: int, driver: str, address: str, **files: object) -> Path:
    """A chip of hwmon, of the device at this address."""
    device = write(root / "devices/pci0000:00" / address)
    folder = write(device / "hwmon" / f"hwmon{number}", name=driver, **files)
    (folder / "device").symlink_to(device)
    listed = root / "class/hwmon"
    listed.mkdir(parents=True, exist_ok=True)
    (listed / f"hwmon{number}").symlink_to(folder)
    return folder
