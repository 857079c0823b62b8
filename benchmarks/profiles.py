"""Whether the stated uncertainty holds, for forty kinds of sensors and boards, in virtual time.

For each profile windows of seven lengths are measured: the share that stands, why others were refused, the
error of those that stand, and how many truths lie within two of the stated uncertainties. That must be 95 %
wherever 30 or more stand. A right number that is refused counts as a false refusal: of windows of three
refreshes and more, on boards whose sensors do not lie. With ``--falls`` power falls over these times instead
of the profile's own.

    python benchmarks/profiles.py [--windows 400] [--profiles ideal ...] [--durations 0.05 ...]
        [--falls 0 0.01 ...] [--lengths] [--json PATH] [--check]
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import product
from pathlib import Path
from statistics import fmean

from provenance import provenance, write
from tabulate import tabulate

from pytest_whq.units import format_percent

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from sensor_profiles import DURATIONS_S, PROFILES, Outcome, measured

_ENOUGH = 30
_COVERED = 0.95
_FALSELY = 0.02


def main() -> int:
    """Measure and print; 1 with ``--check`` where the promise is broken."""
    options = _options()
    jobs = list(product(options.profiles, options.durations, range(options.windows), options.falls))
    with ProcessPoolExecutor(options.processes) as children:
        outcomes = list(children.map(_measured, jobs, chunksize=20))
    rows, broken = [], []
    for name, fall_s in product(options.profiles, options.falls):
        own = [outcome for outcome in outcomes if (outcome.profile, outcome.fall_s) == (name, fall_s)]
        label = name if fall_s is None else f"{name}, over {fall_s * 1000:g} ms"
        rows.append(_row(label, own))
        if options.lengths:
            rows += [
                _row(f"  {d:g} s", [one for one in own if one.duration_s == d]) for d in options.durations
            ]
        broken += [f"{label}: {what}" for what in _broken(name, own)]
    headers = ["", "stand", "rms", "bias", "within 2 u", "mean u", "false refusals", "refused"]
    print(tabulate(rows, headers, disable_numparse=True))
    print("the promise is broken: " + ("; ".join(broken) or "nowhere"))
    if options.json is not None:
        document = {**provenance(), "windows": options.windows, "outcomes": [asdict(one) for one in outcomes]}
        write(options.json, document)
    return 1 if options.check and broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Check the stated uncertainty against the truth.")
    parser.add_argument("--windows", type=int, default=400, metavar="N", help="of each length (default: 400)")
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES), metavar="NAME")
    parser.add_argument("--durations", nargs="+", type=float, default=list(DURATIONS_S), metavar="S")
    parser.add_argument("--falls", nargs="+", type=float, default=[None], metavar="S")
    parser.add_argument("--lengths", action="store_true", help="a row for each length as well")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="at once (default: 2)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every window to this file as well")
    parser.add_argument("--check", action="store_true", help="fail where the promise is broken")
    return parser.parse_args()


def _measured(job: tuple[str, float, int, float | None]) -> Outcome:
    name, duration_s, seed, fall_s = job
    return measured(name, duration_s, seed, fall_s=fall_s)


def _right(own: Sequence[Outcome]) -> list[Outcome]:
    """The windows that no sensor of their board keeps from being measured."""
    return [one for one in own if one.duration_s >= 2.99 * PROFILES[one.profile].refresh_s]


def _broken(name: str, own: Sequence[Outcome]) -> list[str]:
    stand = [one for one in own if one.refused is None]
    found = []
    if len(stand) >= _ENOUGH and fmean(one.covered for one in stand) < _COVERED:
        found.append(f"{format_percent(fmean(one.covered for one in stand))} within 2 u")
    right = _right(own)
    if not PROFILES[name].lies and right:
        falsely = fmean(one.refused is not None for one in right)
        if falsely > _FALSELY:
            found.append(f"{format_percent(falsely)} refused")
    return found


def _row(name: str, own: Sequence[Outcome]) -> list[str]:
    stand = [one for one in own if one.refused is None]
    refused = Counter(one.refused for one in own if one.refused is not None)
    right = [] if PROFILES[own[0].profile].lies else _right(own)
    row = [name, f"{len(stand) / len(own):.0%}"]
    if stand:
        errors = [one.error for one in stand]
        row += [
            format_percent(math.sqrt(fmean(error**2 for error in errors))),
            format_percent(fmean(errors), signed=True),
            f"{fmean(one.covered for one in stand):.1%}",
            format_percent(fmean((one.uncertainty_j or 0.0) / one.true_j for one in stand)),
        ]
    else:
        row += [""] * 4
    row.append(f"{fmean(one.refused is not None for one in right):.0%}" if right else "")
    row.append(", ".join(f"{code} {number / len(own):.0%}" for code, number in refused.most_common()))
    return row


if __name__ == "__main__":
    sys.exit(main())
