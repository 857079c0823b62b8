"""How far one measured window is from the truth, with pytest-whq and with its peers.

On a simulated GPU the truth is known: it draws 70 W, and 450 W while a window is open. Each tool
measures windows of its own, in turns, each beginning at a random phase of the sensors. The error of a
window is what the tool says of it, over the joules drawn between the return of its ``begin`` and the
call of its ``end``, less one. A peer that is not installed is left out, and the table says so.

    python benchmarks/accuracy.py [--windows 40] [--durations 0.05 1] [--variants base noise] [--json PATH]
"""

import argparse
import logging
import math
import os
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

from provenance import provenance, write
from tabulate import tabulate
from tools import PACKAGES, TOOLS, Answer, Tool, ToolMissingError, make

from pytest_whq.units import format_percent

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from simulated_nvml import SimulatedGpu, SimulatedNvml

IDLE_W, BUSY_W = 70.0, 450.0
SEED = 7
_PAUSE_S = 0.1
"""Windows begin up to so long after their tool is ready: a period of the slowest sensor."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A GPU, a load and the durations of windows; ``goals`` are the largest rms errors of pytest-whq.

    After a window the GPU draws ``tail_w`` for ``tail_s``, and only then idles.
    """

    what: str
    durations_s: tuple[float, ...] = (0.05, 0.3, 1.0)
    knobs: Mapping[str, float] = field(default_factory=dict)
    spins: bool = False
    tail_w: float = IDLE_W
    tail_s: float = 0.0
    goals: Mapping[float, float] = field(default_factory=lambda: {0.05: 0.015})


_POWER_ONLY = {"counter_supported": 0, "counter_field_supported": 0}

VARIANTS = {
    "base": Variant(
        "energy counter every 100 ms",
        (0.05, 0.1, 0.3, 1.0, 3.0),
        goals={0.05: 0.01, 0.1: 0.005, 0.3: 0.005, 1.0: 0.005, 3.0: 0.005},
    ),
    "noise": Variant("2 % noise in the power drawn", knobs={"noise": 0.02}),
    "fast": Variant("energy counter every 20 ms", knobs={"counter_period_ms": 20}),
    "slow reading": Variant("readings that cost 2 ms", knobs={"reading_cost_ms": 2}),
    "busy python": Variant("the process computes while the window is open", spins=True),
    "tail": Variant("150 W for 0.3 s after each window", tail_w=150.0, tail_s=0.3, goals={}),
    "power": Variant(
        "no counter; power every 100 ms, averaged over 25 ms", (0.3, 1.0, 3.0), _POWER_ONLY, goals={1.0: 0.02}
    ),
    "average power": Variant(
        "no counter; power every 100 ms, averaged over 1 s",
        (1.0, 5.0),
        {**_POWER_ONLY, "instant_supported": 0},
        goals={5.0: 0.03},
    ),
}


@dataclass(frozen=True, slots=True)
class Score:
    """What a tool made of the windows of one duration; errors are ratios of the truth, None without any.

    ``answered`` windows got an energy, the ``refused`` ones a reason. ``covered`` is the share of truths
    within two stated uncertainties, None where the tool states none.
    """

    variant: str
    tool: str
    duration_s: float
    answered: int
    refused: dict[str, int]
    rms: float | None
    bias: float | None
    largest: float | None
    covered: float | None
    goal: float | None

    @property
    def cell(self) -> str:
        """Rms error and bias, as the table shows them."""
        if self.rms is None or self.bias is None:
            return ", ".join(self.refused)
        return f"{format_percent(self.rms)} ({format_percent(self.bias, signed=True)})"

    @property
    def misses(self) -> bool:
        """Whether the goal is missed."""
        return self.goal is not None and (self.rms is None or self.rms > self.goal)


def main() -> int:
    """Measure and print; 1 with ``--check`` where pytest-whq misses a goal."""
    options = _options()
    scores: list[Score] = []
    missing: dict[str, str] = {}
    # A process for each variant: the peers remember what sensors a GPU had.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as children:
        for name in options.variants:
            durations_s = tuple(options.durations or VARIANTS[name].durations_s)
            job = children.submit(run_variant, name, durations_s, options.tools, options.windows)
            found, absent = job.result()
            scores += found
            missing |= absent
            print(_table(name, options.windows, found, absent), flush=True)
    missed = [f"{score.variant}, {score.duration_s:g} s" for score in scores if score.misses]
    print(f"pytest-whq misses its goal: {'; '.join(missed) or 'nowhere'}")
    if options.json is not None:
        document = {
            **provenance(PACKAGES),
            "gpu": {"idle_w": IDLE_W, "busy_w": BUSY_W, "seed": SEED},
            "windows": options.windows,
            "missing": missing,
            "variants": {name: VARIANTS[name].what for name in options.variants},
            "scores": [asdict(score) for score in scores],
        }
        write(options.json, document)
    return 1 if options.check and missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare measured windows with the truth.")
    parser.add_argument("--windows", type=int, default=40, metavar="N", help="of each duration (default: 40)")
    parser.add_argument("--durations", type=float, nargs="+", metavar="S", help="instead of each variant's")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    parser.add_argument("--check", action="store_true", help="fail where pytest-whq misses a goal")
    return parser.parse_args()


def run_variant(
    name: str, durations_s: Sequence[float], tools: Sequence[str], windows: int
) -> tuple[list[Score], dict[str, str]]:
    """The scores of one variant, and why which tools took no part."""
    variant = VARIANTS[name]
    # The peers warn of windows of 0 J; here the table says it.
    logging.disable()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, SimulatedNvml(idle_w=IDLE_W, seed=SEED) as nvml:
        _put_nvidia_smi_on_path(Path(folder))
        gpu = nvml.gpu(0)
        gpu.configure(**variant.knobs)  # type: ignore[arg-type]
        made: dict[str, Tool] = {}
        missing: dict[str, str] = {}
        for tool in tools:
            try:
                made[tool] = make(tool)
            except ToolMissingError as error:
                missing[tool] = str(error)
        answers: dict[tuple[str, float], list[tuple[Answer, float]]] = {}
        chance = random.Random(SEED)
        for number in range(windows + 1):
            for duration_s in durations_s:
                # Another order in each turn, so that none always follows the same other.
                for tool in chance.sample(list(made), len(made)):
                    answer = _window(made[tool], gpu, duration_s, variant, chance)
                    if number > 0:
                        answers.setdefault((tool, duration_s), []).append(answer)
    scores = [
        _score(name, tool, duration_s, answers[tool, duration_s])
        for tool in made
        for duration_s in durations_s
    ]
    return scores, missing


def _window(
    tool: Tool, gpu: SimulatedGpu, duration_s: float, variant: Variant, chance: random.Random
) -> tuple[Answer, float]:
    """One window, in which the GPU is busy: the tool's answer, and the true joules."""
    time.sleep(variant.tail_s)
    tool.prepare()
    time.sleep(chance.uniform(0, _PAUSE_S))
    tool.begin()
    start_s = time.monotonic()
    gpu.set_watts(BUSY_W)
    _pass(start_s + duration_s, variant.spins)
    off_s = time.monotonic()
    gpu.schedule([(off_s, variant.tail_w), (off_s + variant.tail_s, IDLE_W)])
    end_s = time.monotonic()
    return tool.end(), gpu.true_energy_j(start_s, end_s)


def _pass(until_s: float, spins: bool) -> None:
    while spins and time.monotonic() < until_s:
        sum(range(1000))
    time.sleep(max(0.0, until_s - time.monotonic()))


def _score(variant: str, tool: str, duration_s: float, answers: list[tuple[Answer, float]]) -> Score:
    errors = [answer.energy_j / true_j - 1 for answer, true_j in answers if answer.energy_j is not None]
    covered = [
        abs(answer.energy_j - true_j) <= 2 * answer.uncertainty_j
        for answer, true_j in answers
        if answer.energy_j is not None and answer.uncertainty_j is not None
    ]
    reasons = [answer.why_not or "no answer" for answer, _ in answers if answer.energy_j is None]
    return Score(
        variant=variant,
        tool=tool,
        duration_s=duration_s,
        answered=len(errors),
        refused={reason: reasons.count(reason) for reason in sorted(set(reasons))},
        rms=math.sqrt(fmean(error**2 for error in errors)) if errors else None,
        bias=fmean(errors) if errors else None,
        largest=max(map(abs, errors)) if errors else None,
        covered=fmean(covered) if covered else None,
        goal=VARIANTS[variant].goals.get(duration_s) if tool == "pytest-whq" else None,
    )


def _put_nvidia_smi_on_path(folder: Path) -> None:
    """A program of that name that does nothing: CodeCarbon asks only whether it runs."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _table(name: str, windows: int, scores: Sequence[Score], missing: Mapping[str, str]) -> str:
    durations_s = list(dict.fromkeys(score.duration_s for score in scores))
    rows: list[list[Any]] = []
    for tool in dict.fromkeys(score.tool for score in scores):
        own = {score.duration_s: score for score in scores if score.tool == tool}
        rows.append([tool, *(own[duration_s].cell for duration_s in durations_s)])
        if any(score.covered is not None for score in own.values()):
            shares = (own[duration_s].covered for duration_s in durations_s)
            rows.append(["- within 2 u", *("" if c is None else f"{c:.0%}" for c in shares)])
    head = f"{name}: {VARIANTS[name].what}; {windows} windows each, rms error (bias)"
    absent = "".join(f"\n{tool} left out: {why}" for tool, why in missing.items())
    headers = ["", *(f"{duration_s:g} s" for duration_s in durations_s)]
    return f"{head}\n{tabulate(rows, headers)}{absent}\n"


if __name__ == "__main__":
    sys.exit(main())
