from dataclasses import replace

from samples import H200

from pytest_whq.calibrating.measurable import Listing, Measurable
from pytest_whq.model import CalibratedBoard, Device
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


def test_boards_that_are_calibrated_as_they_are_now_say_so() -> None:
    known = CalibratedBoard("GPU-1", "580.95.05", 700.0, "2026-11-26T03:00:00Z", "whole", None)
    stale = replace(known, driver="570.1")
    for board, ending in ((known, ", calibrated on 2026-11-26"), (stale, "")):
        listing = Listing((replace(COUNTED, driver="580.95.05"),), ())
        assert render(listing, [board]).splitlines()[0].endswith(f"instant power{ending}")


def test_another_source_of_the_same_board_is_not_calibrated() -> None:
    known = CalibratedBoard("GPU-1", None, 700.0, "2026-11-26T03:00:00Z", "whole", None)
    assert "calibrated" not in render(Listing((replace(COUNTED, source="dcgm"),), ()), [known])
