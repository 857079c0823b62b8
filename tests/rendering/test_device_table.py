from samples import H200

from pytest_whq.calibrating.measurable import Listing, Measurable
from pytest_whq.model import Device
from pytest_whq.rendering.device_table import render

COUNTED = Measurable("nvml", H200, ("energy counter", "instant power"), 0, 0.1, by_default=True)
ESTIMATE = Measurable("estimate", Device("cpu", "AMD EPYC"), ("CPU time x watts per vCPU, an estimate",))


def test_devices_stand_in_columns_above_the_problems_and_the_default() -> None:
    powered = Measurable("nvml", Device("GPU-2", "NVIDIA L4", 72.0), ("power usage",), 11)
    listing = Listing((COUNTED, powered, ESTIMATE), ("nvml: GPU 2 is in MIG mode. Turn it\x1b off.",))
    assert (
        render(listing)
        == """\
nvml 0     NVIDIA H200, 700 W limit   GPU-1   energy counter every 100 ms, instant power
nvml 11    NVIDIA L4, 72.0 W limit    GPU-2   power usage
estimate   AMD EPYC                   cpu     CPU time x watts per vCPU, an estimate
nvml: GPU 2 is in MIG mode. Turn it\\x1b off.
By default pytest measures NVIDIA H200, 700 W limit (nvml)."""
    )


def test_where_the_default_does_not_work_it_is_said() -> None:
    assert render(Listing((ESTIMATE,), ("nvml: no.",))).splitlines()[1:] == [
        "nvml: no.",
        "By default pytest measures nothing here.",
    ]
