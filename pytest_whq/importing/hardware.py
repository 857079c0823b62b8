"""Names of GPUs: one for each of the many ways in which benchmarks write them, and what a board can draw."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# The longest first: an H200 is no GH200, and a GB200 no B200.
_NAMES = (
    *("GB300", "GB200", "GH200", "B300", "B200", "H200", "H100", "H20"),
    *("MI355X", "MI350X", "MI325X", "MI300X", "MI300A", "A100", "L40S", "L4", "T4"),
)
_RTX_6000_PRO = re.compile(r"rtx[ _-]*(?:pro[ _-]*6000|6000[ _-]*pro)", re.IGNORECASE)
_SPELLED = "|".join(re.sub(r"(?<=[A-Z])(?=[0-9])", "[ _-]?", name) for name in _NAMES)
# "8xH200" is eight of them.
_KNOWN = re.compile(rf"(?<![a-z0-9])(?:\d+x)?({_SPELLED})(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Board:
    """Watts of one GPU: at most, and while it does nothing, each with who says so."""

    limit_w: float
    limit_source: str
    idle_w: float | None = None
    idle_source: str | None = None


def gpu_named(text: str | None) -> str | None:
    """The GPU of a spelling: ``b200-trt``, ``mi355x-amd_0`` and ``cluster:h100-dgxc`` name three.

    A name that is not known comes back as it is written, None for none.
    """
    if text is None:
        return None
    if _RTX_6000_PRO.search(text):
        return "RTX 6000 Pro"
    found = _KNOWN.search(text)
    return re.sub("[ _-]", "", found[1]).upper() if found else text.strip() or None


@cache
def boards() -> dict[str, Board]:
    """GPU -> its board, by the data file beside this one."""
    text = (files("pytest_whq.importing") / "boards.toml").read_text("utf-8")
    return {name: Board(**entry) for name, entry in tomllib.loads(text).items()}
