"""The GPUs that a dcgm-exporter shows. Pure: text goes in, what each GPU shows comes out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_whq.model import Device
from pytest_whq.scraping.exposition import samples

_ENERGY_MJ = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_POWER_W = "DCGM_FI_DEV_POWER_USAGE"
_LIMIT_W = "DCGM_FI_DEV_POWER_MGMT_LIMIT"
_TEMPERATURE_C = "DCGM_FI_DEV_GPU_TEMP"

_BLANK_FROM: Mapping[str, float] = {
    # DCGM_FP64_BLANK, above which DCGM_INT64_BLANK lies, too.
    _ENERGY_MJ: 140737488355328.0,
    # DCGM_INT32_BLANK, above which the others lie.
    _POWER_W: 2147483632.0,
    _LIMIT_W: 2147483632.0,
    _TEMPERATURE_C: 2147483632.0,
}
"""Metric -> the least of the values by which DCGM says that there is none."""


@dataclass(slots=True)
class Board:
    """One GPU as an exporter shows it; what it does not show is None.

    ``labels`` are those of the first of its lines.
    """

    id: str
    node: str
    labels: Mapping[str, str] = field(repr=False)
    energy_j: float | None = None
    power_w: float | None = None
    limit_w: float | None = None
    temperature_c: float | None = None

    @property
    def device(self) -> Device:
        """The GPU as what is measured."""
        return Device(self.id, self.labels.get("modelName") or "NVIDIA GPU", self.limit_w)


def boards_in(text: str, host: str) -> dict[str, Board]:
    """The GPUs in ``text`` by id, which the exporter on the machine ``host`` shows; NotMetricsError.

    In MIG mode a GPU has a line for each instance, each with what the whole board shows: the first counts.
    """
    boards: dict[str, Board] = {}
    for name, labels, value in samples(text, _BLANK_FROM):
        number = labels.get("gpu")
        # The exporter has written its label with and without a capital.
        node = labels.get("Hostname") or labels.get("hostname") or host
        id_ = labels.get("UUID") or labels.get("uuid") or (f"{node}/gpu{number}" if number else None)
        # A CPU or a switch, which newer exporters show by the same names, is no GPU.
        if id_ is None:
            continue
        board = boards.setdefault(id_, Board(id_, node, labels))
        if math.isfinite(value) and 0 <= value < _BLANK_FROM[name]:
            _note(board, name, value)
    return {
        id_: each for id_, each in boards.items() if each.energy_j is not None or each.power_w is not None
    }


def _note(board: Board, name: str, value: float) -> None:
    if name == _ENERGY_MJ and board.energy_j is None:
        board.energy_j = value / 1000
    elif name == _POWER_W and board.power_w is None:
        board.power_w = value
    elif name == _LIMIT_W and board.limit_w is None:
        board.limit_w = value or None
    elif name == _TEMPERATURE_C and board.temperature_c is None:
        board.temperature_c = value
