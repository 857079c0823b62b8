"""What every report of a run of many tests takes, beside `json.dumps` of the same run.

CPU seconds of this process, the median of some turns in which all formats are made one after another, so
that a machine which gets slower does so for all of them.

    python benchmarks/rendering.py [--tests 10000] [--turns 3]
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from samples import a_record, a_run

from pytest_whq.model import Run
from pytest_whq.rendering import RENDERERS


def _dumped(run: Run) -> str:
    return json.dumps(asdict(run))


def main() -> int:
    """Render, and print a line for each format."""
    parser = argparse.ArgumentParser(description="What reports take.")
    parser.add_argument("--tests", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="default: 3")
    options = parser.parse_args()
    like = a_record()
    run = a_run(
        *(replace(like, test=f"tests/test_{n % 100}.py::test_{n}[x-{n}]") for n in range(options.tests))
    )
    formats: dict[str, Callable[[Run], str]] = {"json.dumps": _dumped}
    formats |= {name: renderer.__call__ for name, renderer in RENDERERS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in formats}
    sizes: dict[str, int] = {}
    for _ in range(options.turns):
        for name, render in formats.items():
            started_s = process_time()
            sizes[name] = len(render(run))
            seconds[name].append(process_time() - started_s)
    print(f"{options.tests} tests, median of {options.turns} turns")
    least_s = median(seconds["json.dumps"])
    for name, taken_s in seconds.items():
        middle_s = median(taken_s)
        print(f"{name:<14}{middle_s:8.2f} s CPU {middle_s / least_s:8.1f} x {sizes[name] / 1e6:8.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
