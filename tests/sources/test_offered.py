"""The sources that installed plugins offer, as they are seen outside pytest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

METER = """
import time
from pytest_whq import Device, DeviceState, Reading

class Meter:
    def devices(self):
        return (Device("METER-0", "Bench meter"),)

    def read(self):
        return (Reading("METER-0", time.monotonic(), energy_j=100 * (time.monotonic() // 0.1 * 0.1)),)

    def state(self):
        return (DeviceState("METER-0"),)

    def close(self):
        pass

def pytest_whq_power_sources():
    return {"meter": Meter}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder to install plugins in."""
    return tmp_path


def install(site: Path, name: str, text: str, *, package: str = "") -> None:
    """Install a pytest plugin whose module holds ``text``; imported, it leaves a file of its name."""
    note = f"import pathlib; pathlib.Path({str(site)!r}, '{name}.imported').touch()\n"
    folder = site / package
    folder.mkdir(exist_ok=True)
    if package:
        (folder / "__init__.py").write_text("raise AssertionError('imported')", "utf-8")
    (folder / f"{name}.py").write_text(note + text, "utf-8")
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    module = f"{package}.{name}" if package else name
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n", "utf-8")


def whq_devices(site: Path, *, then: str = "") -> subprocess.CompletedProcess[str]:
    command = (
        f"import sys; from pytest_whq.cli import main; status = main(['devices'])\n{then}\nsys.exit(status)"
    )
    return subprocess.run(
        [sys.executable, "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=False,
    )


def test_an_installed_plugins_source_is_listed_and_no_other_plugin_is_imported(site: Path) -> None:
    install(site, "metered", METER)
    install(site, "other", "def pytest_configure(): pass")
    install(site, "deep", "def pytest_configure(): pass", package="above")
    shown = whq_devices(site, then="print('pytest' in sys.modules)")
    assert (shown.returncode, shown.stderr) == (0, "")
    (meter,) = [line for line in shown.stdout.splitlines() if line.startswith("meter ")]
    assert meter.split()[:5] == ["meter", "Bench", "meter", "METER-0", "energy"]
    period_ms = re.search(r" energy counter every ([\d.]+) ms$", meter)
    assert period_ms is not None
    assert float(period_ms[1]) == pytest.approx(100, rel=0.1)
    assert shown.stdout.splitlines()[-1] == "False"
    assert [path.name for path in site.glob("*.imported")] == ["metered.imported"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "pytest_whq_power_sources = 1 / 0",
            "The pytest plugin metered cannot be imported: ZeroDivisionError('division by zero')",
        ),
        (
            "def pytest_whq_power_sources(): return None",
            (
                "pytest_whq_power_sources of metered must return a dict of names and functions that open a "
                "source, not None."
            ),
        ),
        (
            "def pytest_whq_power_sources(): return {'nvml': object}",
            (
                "A plugin offers a power source by the name nvml, which pytest-whq uses itself: give it "
                "another name in pytest_whq_power_sources."
            ),
        ),
    ],
)
def test_an_offer_that_pytest_would_refuse_is_refused_here(site: Path, text: str, why: str) -> None:
    install(site, "metered", text)
    shown = whq_devices(site)
    assert (shown.returncode, shown.stdout, shown.stderr) == (2, "", f"whq: {why}\n")


def test_a_plugin_that_only_speaks_of_the_hook_offers_nothing(site: Path) -> None:
    install(site, "talker", "# It has no pytest_whq_power_sources of its own.")
    shown = whq_devices(site)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert (site / "talker.imported").exists()
