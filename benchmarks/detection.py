"""How often a comparison cries wolf, and how often it misses: by simulation, from stated noise.

Runs differ by 1 % (one standard deviation) and the rounds of a run by 2 %; rounds go on until the
plugin's own rule stops them. Beside this plain noise: rounds that another process disturbs, runs that
warm up, machines that drift from run to run, and runs that differ three times as much as the floor
of the method assumes. Each trial makes new runs of both sides and compares them as `whq compare` does.

    python benchmarks/detection.py [--trials 2000] [--seed 1] [--json detection.json]
"""

import argparse
import json
import math
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from pytest_whq.judging.regressions import Against, compare
from pytest_whq.judging.run_noise import RUN_NOISE
from pytest_whq.measuring.plan import Plan, half_widths95
from pytest_whq.model import Rig, Round
from pytest_whq.model.baseline import Accepted, AcceptedRun

PLAN = Plan()
SIDES = ((1, 1), (3, 1), (10, 1), (3, 3))
CHANGES = (0.0, 0.03, 0.05, 0.07, 0.10)
RUN = AcceptedRun("2026-11-23T08:00:00Z", "detection", None, Rig("nvml", "gpu", None, "", "", "", ()))


@dataclass(frozen=True, slots=True)
class Noise:
    """What makes figures of the same code differ, as shares.

    ``between_runs`` and ``between_rounds`` are standard deviations. Of all rounds ``disturbed`` take up
    to ``disturbance`` more. A run starts ``cold`` below its level, which it reaches within some rounds.
    The machine walks by ``walk``, a standard deviation, from each run to the next.
    """

    between_runs: float = 0.01
    between_rounds: float = 0.02
    disturbed: float = 0.0
    disturbance: float = 0.5
    cold: float = 0.0
    walk: float = 0.0


NOISES = {
    "plain": Noise(),
    "disturbed rounds": Noise(disturbed=0.02),
    "warming up": Noise(cold=0.03),
    "drift from run to run": Noise(walk=0.004),
    "all of these": Noise(disturbed=0.02, cold=0.03, walk=0.004),
    "runs differ by 3 %": Noise(between_runs=0.03),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of the outcomes over all trials of one true change."""

    noise: str
    base_runs: int
    head_runs: int
    change: float
    regressed: float
    inconclusive: float
    improved: float


def detect(
    noise: Noise,
    base_runs: int,
    head_runs: int,
    change: float,
    trials: int,
    seed: int,
) -> Counter[str]:
    """The outcomes of ``trials`` comparisons in which the head truly needs ``change`` more."""
    random = Random(f"{seed} {noise} {base_runs} {head_runs} {change}")
    outcomes: Counter[str] = Counter()
    for _ in range(trials):
        walked, base, head = 0.0, [], []
        for _ in range(base_runs):
            base.append(a_run(random, noise, math.exp(walked)))
            walked += random.gauss(0.0, noise.walk)
        for _ in range(head_runs):
            head.append(a_run(random, noise, math.exp(walked) * (1 + change)))
            walked += random.gauss(0.0, noise.walk)
        (comparison,) = compare([Against(head, base)])
        outcomes[comparison.outcome] += 1
    return outcomes


def a_run(random: Random, noise: Noise, level: float) -> Accepted:
    """What a run measures of a test that truly needs ``level`` joules per query, in rounds of a second."""
    level *= math.exp(random.gauss(0.0, noise.between_runs))
    rounds: list[Round] = []
    while PLAN.goes_on(len(rounds), float(len(rounds)), 1.0, lambda: _half_width(rounds)):
        energy_j = level * (1 + random.gauss(0.0, noise.between_rounds))
        energy_j *= 1 - noise.cold * math.exp(-len(rounds) / 3)
        if random.random() < noise.disturbed:
            energy_j *= 1 + random.uniform(0.0, noise.disturbance)
        rounds.append(Round(4 * energy_j, None, 1.0, 4, 400, 200))
    energy_j = sum(one.energy_j or 0.0 for one in rounds)
    value, width = energy_j / 4 / len(rounds) / 3600, _half_width(rounds) or 0.0
    return Accepted(
        run=RUN,
        test="test",
        method="counter",
        queries=4 * len(rounds),
        input_tokens=None,
        output_tokens=None,
        energy_j=energy_j,
        uncertainty_j=0.001 * energy_j,
        rounds=len(rounds),
        interval95={"wh_per_query": (value * (1 - width), value * (1 + width))},
    )


def _half_width(rounds: Sequence[Round]) -> float | None:
    return half_widths95(rounds).get("wh_per_query")


def _cell(shares: dict[str, float]) -> str:
    return f"{shares['regressed'] * 100:.1f} ({shares['inconclusive'] * 100:.1f})"


def main() -> int:
    """Simulate, print the table, write the figures."""
    parser = argparse.ArgumentParser(description="Simulate how well regressions are told from noise.")
    parser.add_argument("--trials", type=int, default=2000, metavar="N", help="per figure (default: 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    options = parser.parse_args()
    rows = []
    print(f"{options.trials} trials each, limit 5 %, run noise {RUN_NOISE:.0%}. Regressed (inconclusive), %")
    print(f"{'noise':<24}{'runs':<10}" + "".join(f"{f'{change:+.0%}':<16}" for change in CHANGES))
    for name, noise in NOISES.items():
        for base_runs, head_runs in SIDES:
            line = f"{name:<24}{f'{base_runs} : {head_runs}':<10}"
            for change in CHANGES:
                counts = detect(noise, base_runs, head_runs, change, options.trials, options.seed)
                shares = {
                    key: counts[key] / options.trials for key in ("regressed", "inconclusive", "improved")
                }
                rows.append(Row(name, base_runs, head_runs, change, **shares))
                line += f"{_cell(shares):<16}"
            print(line.rstrip(), flush=True)
    if options.json is not None:
        document = {
            "python": platform.python_version(),
            "trials": options.trials,
            "seed": options.seed,
            "noises": {name: asdict(noise) for name, noise in NOISES.items()},
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
