"""What a history takes and how well its change points are found.

    python benchmarks/history.py [--runs 1000] [--tests 200] [--series 1000]

Runs of many tests are written as a history and, a few of them, as run files; then the history is read, and
drawn as table and page, beside `json.loads` of the same files and of the same runs as run files. CPU seconds
and the largest memory of this process. Then series with and without a step of 5 % at a run noise of 1 %
are searched for it.
"""

import argparse
import json
import math
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from samples import COMPARISON, MEASUREMENT, WITHIN, a_record, a_run

from pytest_whq.history.change_points import change_points
from pytest_whq.history.series import series_of
from pytest_whq.model import Commit, Run
from pytest_whq.model.history import kept_of
from pytest_whq.rendering.history import page, table
from pytest_whq.storing.any_file import read_history_of
from pytest_whq.storing.history_file import write_history
from pytest_whq.storing.runfile import run_as_json

_NOISE = 0.01
_STEP = 0.05


def a_kept_run(number: int, tests: int, random: Random) -> Run:
    """A run of ``tests`` with noise; those of every tenth test step up half way through a thousand runs."""
    records = []
    for test in range(tests):
        level = 1 + test / 10 + (_STEP if test % 10 == 0 and number >= 500 else 0)
        energy_j = 884.0 * level * math.exp(random.gauss(0, _NOISE))
        name = f"tests/energy/test_serving.py::test_case[{test}]"
        rounds = MEASUREMENT.rounds * 5
        records.append(
            a_record(name, energy_j=energy_j, budgets=(WITHIN,), comparison=COMPARISON, rounds=rounds)
        )
    day = f"{2024 + number // 336}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"
    commit = Commit(f"{random.getrandbits(160):040x}", "main", dirty=False)
    return replace(a_run(*records), created=f"{day}T08:00:00Z", commit=commit)


def sizes_and_times(runs: int, tests: int) -> None:
    """Print what a thousand records take on the disk, and what reading and drawing take."""
    random = Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "history")
        as_run_files = []
        for number in range(runs):
            run = a_kept_run(number, tests, random)
            write_history(kept_of(run), folder)
            if number < 20:
                as_run_files.append(run_as_json(run))
        files = sorted(folder.iterdir())
        size = sum(file.stat().st_size for file in files)
        print(f"a thousand records take {size / runs / tests:.0f} KB; all {runs} files {size / 1e6:.1f} MB")
        start_s = process_time()
        for file in files:
            json.loads(file.read_bytes())
        parse_s = process_time() - start_s
        start_s = process_time()
        for document in as_run_files:
            json.loads(document)
        parse_runs_s = (process_time() - start_s) * runs / len(as_run_files)
        start_s = process_time()
        kept, _ = read_history_of([folder])
        read_s = process_time() - start_s
        start_s = process_time()
        detector = change_points(_NOISE)
        import_s = process_time() - start_s
        start_s = process_time()
        found = series_of(kept, detector=detector)
        found_s = process_time() - start_s
        start_s = process_time()
        drawn = len(page.render(kept, found)) + len(table.render(kept, found))
        draw_s = process_time() - start_s
    whole_s = read_s + found_s + draw_s
    print(f"json.loads of these files {parse_s:.2f} s, of the same runs as run files {parse_runs_s:.2f} s")
    print(
        f"read {read_s:.2f} s ({read_s / parse_s:.1f} times json.loads), change points {found_s:.2f} s "
        f"(and {import_s:.2f} s to import ruptures), drawn {draw_s:.2f} s ({drawn / 1e6:.1f} MB)"
    )
    print(
        f"together {whole_s:.2f} s: {whole_s / parse_s:.1f} times json.loads of these files, "
        f"{whole_s / parse_runs_s:.1f} times that of the run files"
    )
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def change_point_rates(series: int) -> None:
    """Print how often a step is put at its own commit, and how often one is found that is not there."""
    detector, random = change_points(_NOISE), Random(2)

    def values(runs: int, level: float, noise: float = _NOISE) -> list[float]:
        return [level * math.exp(random.gauss(0, noise)) for _ in range(runs)]

    for before, after in ((5, 5), (5, 30), (30, 5), (30, 30), (200, 200)):
        for step in (_STEP, -_STEP):
            found = [
                [one.number for one in detector(values(before, 1) + values(after, 1 + step))]
                for _ in range(series)
            ]
            right = sum(one == [before] for one in found) / series
            print(f"step {step:+.0%} after {before} runs, before {after}: at the right run {right:.1%}")
    for runs in (10, 30, 100, 400):
        for noise in (_NOISE, 3 * _NOISE):
            false = sum(bool(detector(values(runs, 1, noise))) for _ in range(series)) / series
            print(f"no step in {runs} runs, noise {noise:.0%}: one is found in {false:.1%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--series", type=int, default=1000)
    options = parser.parse_args()
    change_point_rates(options.series)
    sizes_and_times(options.runs, options.tests)


if __name__ == "__main__":
    main()
