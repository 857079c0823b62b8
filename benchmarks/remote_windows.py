"""How far windows through exporters and through a Prometheus are off, in virtual time.

    python benchmarks/remote_windows.py [--windows 40] [--json PATH]

An exporter that looks at its GPU each second, or a Prometheus that scrapes it each second; a load that steps
from 100 to 500 W anywhere between the looks, noisy by 5 %. For each kind, sensor and length: the root of the
mean square of the errors, and in how many windows the truth lies within two of the stated uncertainties.
"""

import argparse
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from provenance import provenance, write

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "sources"))

from test_remote_windows import error_of_a_window

LENGTHS_S = {True: (10.0, 30.0), False: (15.0, 30.0)}
"""Seconds of windows, with a counter or not; a gauge needs longer ones."""


@dataclass(frozen=True)
class Score:
    """The windows of one kind."""

    kind: str
    sensor: str
    seconds: float
    windows: int
    rms: float
    within: int


def score(kind: str, counter: bool, seconds: float, windows: int) -> Score:
    """So many windows, each with a load, a phase and a noise of its own."""
    found = [
        error_of_a_window(kind, counter=counter, seconds=seconds, seed=1000 + seed) for seed in range(windows)
    ]
    rms = math.sqrt(sum(error**2 for error, _ in found) / windows)
    within = sum(abs(error) <= bound for error, bound in found)
    return Score(kind, "counter" if counter else "gauge", seconds, windows, rms, within)


def main() -> int:
    """Measure, and print a line for each kind."""
    parser = argparse.ArgumentParser(description="How far windows of a cluster are off.")
    parser.add_argument("--windows", type=int, default=40, metavar="N", help="of each kind (default: 40)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the scores there")
    options = parser.parse_args()
    scores = []
    for kind in ("dcgm", "prometheus"):
        for counter, lengths_s in LENGTHS_S.items():
            for seconds in lengths_s:
                scores.append(score(kind, counter, seconds, options.windows))
                one = scores[-1]
                print(
                    f"{one.kind:<11}{one.sensor:<8}{one.seconds:4.0f} s   rms {one.rms * 100:5.2f} %   "
                    f"within two uncertainties {one.within} of {one.windows}"
                )
    if options.json is not None:
        write(options.json, {**provenance(), "scores": [asdict(one) for one in scores]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
