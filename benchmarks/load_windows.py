"""Whether the stated uncertainty of a load's window holds beside a busy ramp-up and tail, in virtual time.

    python benchmarks/load_windows.py [--loads 200] [--profiles "power alone" ...] [--check]

For each kind of board and of work: how many windows stand, how many truths lie within two of the stated
uncertainties, these, the error, and that of what was drawn in ramp-up and tail.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import median, quantiles

from tabulate import tabulate

from pytest_whq.units import format_percent

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from load_profiles import PROFILES, WORK, LoadOutcome, measured_load

_COVERED = 0.95


def main() -> int:
    """Measure and print; 1 with ``--check`` where the promise is broken."""
    options = _options()
    rows, broken = [], []
    for work, name in product(WORK, options.profiles):
        found = [measured_load(name, seed, work) for seed in range(options.loads)]
        stand = [one for one in found if one.energy_j is not None]
        covered = sum(one.covered for one in stand) / max(1, len(stand))
        rows.append([work, name, *_figures(stand, len(found), covered)])
        if covered < _COVERED:
            broken.append(f"{name}, {work}")
    headers = ["work", "board", "stand", "within 2 u", "2 u", "(p90)", "error", "(p95)", "beside, J"]
    print(tabulate(rows, headers, disable_numparse=True))
    print("the promise is broken: " + ("; ".join(broken) or "nowhere"))
    return 1 if options.check and broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Check the stated uncertainty of windows within loads.")
    parser.add_argument("--loads", type=int, default=200, metavar="N", help="of each kind (default: 200)")
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES), metavar="NAME")
    parser.add_argument("--check", action="store_true", help="fail where the promise is broken")
    return parser.parse_args()


def _figures(stand: Sequence[LoadOutcome], number: int, covered: float) -> Iterator[str]:
    yield format_percent(len(stand) / number)
    if len(stand) < 2:
        return
    yield format_percent(covered)
    stated = [one.stated for one in stand]
    errors = [one.error for one in stand]
    for figures, last in ((stated, 90), (errors, 95)):
        yield format_percent(median(figures))
        yield format_percent(quantiles(figures, n=100, method="inclusive")[last - 1])
    beside = [each for one in stand for each in one.errors_beside_j]
    yield f"{median(beside):.1f}" if beside else ""


if __name__ == "__main__":
    sys.exit(main())
