"""dcgm-exporter's text, of GPUs whose power a test sets, in the shape that it has on a T4, A100 and GB200."""

from contextlib import AbstractContextManager

from http_answers import Answer, answering

from pytest_whq.testing import FakeClock, ScriptedSource


class Exporter:
    """An exporter on the node ``node`` that looks at its GPUs every ``period_s``, in the clock's time.

    To answer it takes ``takes_s``.
    """

    def __init__(
        self,
        clock: FakeClock,
        node: str,
        gpus: int = 1,
        *,
        counter: bool = True,
        period_s: float = 1.0,
        takes_s: float = 0.0,
    ) -> None:
        self.node, self.label, self.answer = node, "Hostname", Answer("")
        self.fails: Answer | None = None
        self._counter, self._clock, self._takes_s = counter, clock, takes_s
        self.gpus = [
            ScriptedSource(clock, 100.0, period_s=period_s, phase_s=0.1 * number, counter=counter)
            for number in range(gpus)
        ]

    def uuid(self, number: int) -> str:
        return f"GPU-{self.node}-{number}"

    def line(self, name: str, number: int, value: object, extra: str = "") -> str:
        labels = f'gpu="{number}",UUID="{self.uuid(number)}",device="nvidia{number}",modelName="NVIDIA GB200"'
        return f'{name}{{{labels},{self.label}="{self.node}"{extra}}} {value}\n'

    def text(self) -> str:
        """What it shows now, when it has taken its time."""
        self._clock.spend(self._takes_s)
        lines = ["# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).\n# TYPE DCGM_FI_DEV_POWER_USAGE gauge\n"]
        for number, gpu in enumerate(self.gpus):
            (reading,) = gpu.read()
            lines.append(self.line("DCGM_FI_DEV_SM_CLOCK", number, 120))
            lines.append(self.line("DCGM_FI_DEV_GPU_TEMP", number, 41))
            lines.append(self.line("DCGM_FI_DEV_POWER_USAGE", number, reading.power_w))
            if reading.energy_j is not None:
                energy_mj = round(reading.energy_j * 1000)
                lines.append(self.line("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", number, energy_mj))
        return "".join(lines)

    def serve(self) -> AbstractContextManager[str]:
        """Its address, meanwhile."""
        return answering(lambda path, headers: self.fails or Answer(self.text()))
