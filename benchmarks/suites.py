"""How often a suite of tests cries wolf, and which change it finds: by simulation, from stated noise.

Each suite has 200 tests that were run on the base and on the head; it is judged as `whq compare` judges it. A
suite fails falsely where any test without a change is said to have regressed.

    python benchmarks/suites.py [--suites 200] [--seed 1]
"""

import argparse
import math
import sys
from dataclasses import dataclass
from random import Random

from pytest_whq.judging.suite import Case, RunMean, judge_suite, outcome_of

TESTS = 200
ODD = 0.1


@dataclass(frozen=True, slots=True)
class Suite:
    """What makes the runs of a suite differ, as shares, and how it is run.

    Runs differ by ``sigma``, a standard deviation, of a normal distribution or of one with ``heavy`` tails
    (Student's t with 3 degrees of freedom); the share ``odd`` of them is off by 10 % either way. All tests of
    the head need ``shift`` more. What may have changed is run again, up to ``repeats`` times.
    """

    sigma: float = 0.01
    heavy: bool = False
    odd: float = 0.0
    shift: float = 0.0
    base: int = 3
    head: int = 1
    limit: float = 0.05
    repeats: int = 0

    def outcomes(self, seed: int, change: float = 0.0) -> list[str]:
        """The outcomes of the tests, of which the first needs ``change`` more."""
        random = Random(f"{self} {seed} {change}")
        levels = [(1 + self.shift) * (1 + change if test == 0 else 1) for test in range(TESTS)]
        bases = [[self._run(random, ("base", n), 1.0) for n in range(self.base)] for _ in levels]
        heads = [[self._run(random, ("head", n), level) for n in range(self.head)] for level in levels]
        for number in range(self.repeats + 1):
            cases = [Case(head, base, self.limit) for head, base in zip(heads, bases, strict=True)]
            outcomes: list[str] = [outcome_of(one, self.limit) for one in judge_suite(cases)]
            for test, outcome in enumerate(outcomes):
                if number < self.repeats and outcome in ("regressed", "inconclusive"):
                    heads[test].append(self._run(random, ("again", number), levels[test]))
        return outcomes

    def _run(self, random: Random, run: object, level: float) -> RunMean:
        noise = random.gauss(0.0, self.sigma)
        if self.heavy:
            noise /= math.sqrt(sum(random.gauss(0.0, 1.0) ** 2 for _ in range(3)))
        far = random.choice((-ODD, ODD)) if random.random() < self.odd else 0.0
        return RunMean(run, level * math.exp(noise) * (1 + far), 0.002)


SUITES = {
    "run noise 0.3 %": Suite(sigma=0.003, shift=0.02),
    "run noise 1 %": Suite(shift=0.02),
    "run noise 3 %": Suite(sigma=0.03, shift=0.02),
    "heavy tails, 1 %": Suite(heavy=True, shift=0.02),
    "heavy tails, 3 %": Suite(sigma=0.03, heavy=True, shift=0.02),
    "5 % of runs off by 10 %": Suite(odd=0.05, shift=0.02),
    "the same, suspects twice more": Suite(odd=0.05, shift=0.02, repeats=2),
    "ten accepted runs": Suite(shift=0.02, base=10),
    "six pairs, limit 2 %": Suite(base=6, head=6, limit=0.02),
}
CHANGES: tuple[float, ...] = (0.03, 0.05, 0.07, 0.10)


def main() -> int:
    """Simulate, and print a line for each kind of suite."""
    parser = argparse.ArgumentParser(description="How suites of tests are judged.")
    parser.add_argument("--suites", type=int, default=200, metavar="N", help="for each figure (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.suites)
    print(f"{options.suites} suites of {TESTS} tests each, all of them shifted by 2 % but in the last line.")
    titles = "".join(f"{f'finds {change:+.0%}':>12}" for change in CHANGES)
    print(f"{'':<32}{'false':>8}{titles}")
    for name, suite in SUITES.items():
        false = sum("regressed" in suite.outcomes(seed) for seed in seeds) / options.suites
        line = f"{name:<32}{f'{false:.1%}':>8}"
        for change in CHANGES:
            found = sum(suite.outcomes(seed, change)[0] == "regressed" for seed in seeds) / options.suites
            line += f"{f'{found:.0%}':>12}"
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
