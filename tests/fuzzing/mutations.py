"""Run files, baselines and histories with a few values changed: most are still what reading accepts.

``python tests/fuzzing/mutations.py 10000`` takes so many of each through every output.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "rendering")]

from exercise import exercise  # noqa: E402
from report_run import a_hostile_run, a_report_run  # noqa: E402
from samples import FULL, a_record, a_run  # noqa: E402

from pytest_whq.model.baseline import Baseline, accept  # noqa: E402
from pytest_whq.model.history import kept_of  # noqa: E402
from pytest_whq.storing.baseline_file import baseline_as_json  # noqa: E402
from pytest_whq.storing.history_file import history_as_json  # noqa: E402
from pytest_whq.storing.runfile import run_as_json  # noqa: E402

NUMBERS = (0, 0.0, 1, 2, 7, 5e-324, 1e-300, 1e-9, 0.5, 1 - 1e-16, 1e9, 1e17, 1e18, 2**53, -1, -0.0, 1e300)
TEXTS = (
    "",
    " ",
    "::error::x",
    "##[x",
    "\n",
    "\x1b[2J",
    "\udcff",
    "\u202e",
    "é" * 300,
    "a/b::c[d]",
    "=1+1",
    "|`<!--",
)
TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-02-29T00:00:00Z")
ODD: tuple[Any, ...] = (None, True, False, [], {}, [[]], "x", 1)


KINDS_OF_FILES = ("run file", "baseline", "history")


def seeds() -> dict[str, list[Any]]:
    """Whole documents of each kind, each small, and together with something of everything."""
    runs = [a_run(a_record(), FULL), *one_by_one(a_report_run()), *one_by_one(a_hostile_run())]
    documents = [json.loads(run_as_json(run)) for run in runs]
    baselines = [json.loads(baseline_as_json(accept(Baseline({}), run).baseline)) for run in runs[:8]]
    kept = [json.loads(history_as_json(kept_of(run))) for run in runs[:8]]
    return dict(zip(KINDS_OF_FILES, (documents, baselines, kept), strict=True))


def one_by_one(run: Any) -> Iterator[Any]:
    """A run of each of the records, on the rig of the samples."""
    return (a_run(record) for record in run.records)


def mutant(document: Any, chance: random.Random) -> bytes:
    """``document`` with up to four values changed."""
    changed = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 4)):
        holder, key = chance.choice(list(places(changed)))
        holder[key] = other(holder[key], chance)
    return json.dumps(changed).encode()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in ``value`` that holds one."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def other(value: Any, chance: random.Random) -> Any:
    """Another value, most often of the same kind."""
    if chance.random() < 0.05:
        return chance.choice(ODD)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice([number for number in NUMBERS if isinstance(number, int)])
    if isinstance(value, float):
        return chance.choice(NUMBERS)
    if isinstance(value, str):
        return chance.choice(TIMES if value[:2] == "20" and value[-1] == "Z" else TEXTS)
    if isinstance(value, list):
        return value[: chance.randrange(len(value) + 1)] * chance.choice((1, 1, 2))
    return chance.choice([value, None])


def take_through(kind: str, count: int, seed: int) -> int:
    """Take ``count`` mutants through every output: how many of them were accepted."""
    chance = random.Random(seed)
    documents = seeds()[kind]
    return sum(exercise(kind, mutant(chance.choice(documents), chance)) for _ in range(count))


if __name__ == "__main__":
    number, seed, started_s = int(sys.argv[1]), int(time.time()), time.monotonic()
    for kind in KINDS_OF_FILES:
        accepted = take_through(kind, number, seed)
        print(f"{kind}: {number} mutants (seed {seed}), {accepted} of them accepted, no fault")
    print(f"{time.monotonic() - started_s:.0f} s")
