"""What was learned of the sensors of devices, as versioned JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from pytest_whq.calibrating.calibration import Calibration
from pytest_whq.storing.stamp import TOOL

CALIBRATION_FORMAT = 1  # 1: first


def calibrations_as_json(calibrations: Sequence[Calibration], *, created: str, driver: str | None) -> str:
    """The file that ``whq devices --calibrate --json`` writes; units stand in the names, unknown is null."""
    whole = {
        "format": CALIBRATION_FORMAT,
        "created": created,
        "tool": TOOL,
        "driver": driver,
        "devices": [asdict(calibration) for calibration in calibrations],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
