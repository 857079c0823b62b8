"""A BMC whose meter a test sets, and what it answers by Redfish."""

import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from http_answers import Answer, answering

from pytest_whq.testing import FakeClock, ScriptedSource


class Bmc:
    """A machine with the chassis ``1``; its meter shows power by the ``Power`` of old, or by the newer way.

    With ``energy`` it counts, too, under that name.
    """

    def __init__(self, clock: FakeClock, *, old: bool = False, energy: str | None = None) -> None:
        self.machine = ScriptedSource(clock, 600.0, period_s=1.0, averaging_s=1.0, noise=0.05)
        self.old, self.energy = old, energy
        self.chassis = ["1"]
        self.fails: Answer | None = None
        self.stuck_w: float | None = None
        self.asked: list[str | None] = []

    def serve(self) -> AbstractContextManager[str]:
        """Its address, meanwhile."""
        return answering(self._answer)

    def _answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append(headers.get("Authorization"))
        if self.fails is not None:
            return self.fails
        document = self._document(urlsplit(path).path.removeprefix("/redfish/v1/Chassis"))
        if document is None:
            return Answer("", 404)
        return Answer(json.dumps(document), media="application/json")

    def _document(self, path: str) -> dict[str, Any] | None:
        root = "/redfish/v1/Chassis"
        if not path:
            return {"Members": [{"@odata.id": f"{root}/{one}"} for one in self.chassis]}
        _, chassis, *rest = path.split("/")
        resource = "Power" if self.old else "EnvironmentMetrics"
        if not rest:
            links = (
                {} if chassis == "enclosure" else {resource: {"@odata.id": f"{root}/{chassis}/{resource}"}}
            )
            return {"Id": chassis, "Model": "XE9680", "Name": "Computer System Chassis", **links}
        return self._metrics() if rest == [resource] else None

    def _metrics(self) -> dict[str, Any]:
        (reading,) = self.machine.read()
        power_w = round(reading.power_w or 0.0) if self.stuck_w is None else self.stuck_w
        if self.old:
            parts = [power_w, power_w / 2]
            return {
                "PowerControl": [{"MemberId": str(n), "PowerConsumedWatts": w} for n, w in enumerate(parts)]
            }
        shown: dict[str, Any] = {"PowerWatts": {"Reading": power_w}}
        energy_j = reading.energy_j or 0.0
        if self.energy == "EnergyJoules":
            shown["EnergyJoules"] = {"Reading": round(energy_j)}
        elif self.energy is not None:
            digits = int(self.energy)
            shown["EnergykWh"] = {"Reading": round(100.12345 + energy_j / 3.6e6, digits)}
        return shown
