"""What a plugin costs every session: `pytest -q` on one empty test, with it and without.

Makes an environment for each plugin in a temporary folder and runs them in turns: every run with a
plugin stands beside one without, so that both see the machine in the same mood. Prints the median
ratio of these pairs with its 95 % interval; CPU time is the steadier of the two.

    python benchmarks/startup.py [--runs 40] [--json startup.json] [--max-ratio 1.05]
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parent.parent
OURS = "pytest-whq"
PLUGINS = {
    OURS: str(PROJECT),
    **{name: name for name in ("pytest-benchmark", "pytest-memray", "pytest-codspeed")},
}
"""Name -> what pip installs beside pytest."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest: seconds on the clock, and of CPU time in user and system mode together."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of paired ratios and the bounds of its 95 % interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, with_plugin: Sequence[float], without: Sequence[float]) -> "Ratio":
        """The ratios of one to the other; the interval is that of the sign test, by order statistics."""
        ratios = sorted(a / b for a, b in zip(with_plugin, without, strict=True))
        count = len(ratios)
        rank = max(0, math.floor(count / 2 - 0.98 * math.sqrt(count)))
        return cls(median(ratios), ratios[rank], ratios[count - 1 - rank])

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def main() -> int:
    """Measure and print; 1 where pytest-whq costs more than ``--max-ratio``, 2 where it is not to be had."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="startup-") as temporary, chdir(temporary):
        Path("test_empty.py").write_text("def test_empty():\n    pass\n")
        plain = _environment(Path(temporary, "plain"))
        installed = {name: _environment(Path(temporary, name), PLUGINS[name]) for name in options.plugins}
        pythons = {name: python for name, python in installed.items() if python is not None}
        if plain is None or OURS not in pythons:
            return 2
        pairs = _measure(plain, pythons, options.runs)
    ratios = {
        name: {
            "cpu": Ratio.of([one.cpu_s for one, _ in runs], [other.cpu_s for _, other in runs]),
            "wall": Ratio.of([one.wall_s for one, _ in runs], [other.wall_s for _, other in runs]),
        }
        for name, runs in pairs.items()
    }
    alone = [other for runs in pairs.values() for _, other in runs]
    base = {"cpu_s": median(run.cpu_s for run in alone), "wall_s": median(run.wall_s for run in alone)}
    print(_table(options.runs, base, ratios))
    if options.json is not None:
        options.json.write_text(_document(options.runs, base, ratios), "utf-8")
    return 1 if ratios[OURS]["cpu"].median > options.max_ratio else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare what pytest plugins cost at start-up.")
    parser.add_argument(
        "--runs", type=int, default=40, metavar="N", help="pairs for each plugin (default: 40)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file as well")
    parser.add_argument(
        "--max-ratio", type=float, default=math.inf, metavar="R", help="fail above this CPU ratio"
    )
    parser.add_argument("--plugins", nargs="+", choices=PLUGINS, default=list(PLUGINS), metavar="NAME")
    return parser.parse_args()


def _environment(folder: Path, *packages: str) -> Path | None:
    """The Python of a new environment with pytest and ``packages``, None where they cannot be had."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "pytest",
        *packages,
    ]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        print(f"{folder.name} left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return python


def _measure(plain: Path, pythons: dict[str, Path], count: int) -> dict[str, list[tuple[Run, Run]]]:
    """Pairs of runs, with a plugin and without, the first of them not counted."""
    pairs: dict[str, list[tuple[Run, Run]]] = {name: [] for name in pythons}
    for number in range(count + 1):
        for name, python in pythons.items():
            order = [python, plain] if number % 2 else [plain, python]
            runs = {one: _run(one) for one in order}
            if number > 0:
                pairs[name].append((runs[python], runs[plain]))
    return pairs


def _run(python: Path) -> Run:
    started_s = time.perf_counter()
    # Not through subprocess.run: only os.wait4 tells the CPU time of this one child.
    process = os.posix_spawn(
        python,
        [str(python), "-m", "pytest", "-q"],
        dict(_variables()),
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{python} -m pytest failed")
    return Run(time.perf_counter() - started_s, usage.ru_utime + usage.ru_stime)


def _variables() -> Iterator[tuple[str, str]]:
    """The environment, less what changes how pytest and Python start."""
    for name, value in os.environ.items():
        if not name.startswith(("PYTEST", "PYTHON")):
            yield name, value


def _table(count: int, base: dict[str, float], ratios: dict[str, dict[str, Ratio]]) -> str:
    return "\n".join(
        [
            f"pytest alone: {base['cpu_s'] * 1e3:.0f} ms CPU, {base['wall_s'] * 1e3:.0f} ms on the clock",
            f"{count} pairs each, Python {platform.python_version()}; median ratio (95 % interval)",
            "",
            f"{'with':<18}{'CPU time':<26}on the clock",
            *(f"{name:<18}{ratio['cpu']!s:<26}{ratio['wall']}" for name, ratio in ratios.items()),
        ]
    )


def _document(count: int, base: dict[str, float], ratios: dict[str, dict[str, Ratio]]) -> str:
    figures = {name: {kind: asdict(ratio) for kind, ratio in both.items()} for name, both in ratios.items()}
    document = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "pairs": count,
        "pytest_alone": base,
        "ratios": figures,
    }
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
