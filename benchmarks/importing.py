"""How long importing takes: a power log against csv.reader alone, and a sweep of 1,600 rows.

Run as ``python benchmarks/importing.py [MEGABYTES]``: a log of eight GPUs of so many megabytes (200) is
written to a temporary folder, read by csv.reader alone and by whq; then 1,600 rows of InferenceMAX become
a run.
"""

import csv
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

from pytest_whq.importing.documents import documents_of
from pytest_whq.importing.figures.all_in_power import published_table
from pytest_whq.importing.figures.readable import readable_part
from pytest_whq.importing.figures.run_making import Importing, run_of
from pytest_whq.importing.kinds import KINDS
from pytest_whq.importing.power.log import read_log
from pytest_whq.joules.polled_power import polled_energy, polling_of
from pytest_whq.joules.spans import Span
from pytest_whq.rendering.workloads import Selection, workload_table
from pytest_whq.storing.runfile import run_as_json

_HEADER = (
    "timestamp, index, power.draw [W], temperature.gpu, clocks.current.sm [MHz], "
    "clocks.current.memory [MHz], utilization.gpu [%], utilization.memory [%]\n"
)
_START = datetime(2026, 6, 11, tzinfo=UTC)


def write_log(path: Path, megabytes: float) -> None:
    """A log in the form of nvidia-smi: eight GPUs, ten times a second."""
    with path.open("w") as file:
        written, look = file.write(_HEADER), 0
        while written < megabytes * 1e6:
            moment = _START + timedelta(milliseconds=100 * look)
            stamp = moment.strftime("%Y/%m/%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"
            lines = [
                f"{stamp}, {gpu}, {400 + (look * 7 + gpu * 13) % 200:.2f} W, 61, 1980 MHz, 3201 MHz, 97 "
                "%, 41 %\n"
                for gpu in range(8)
            ]
            written += file.write("".join(lines))
            look += 1


def write_sweep(path: Path, rows: int) -> None:
    """Rows of InferenceMAX that differ in their concurrency."""
    one = {
        "hw": "b200",
        "model": "deepseek-ai/DeepSeek-R1",
        "framework": "vllm",
        "precision": "fp8",
        "tp": 8,
        "isl": 8192,
        "osl": 1024,
        "disagg": False,
        "mean_e2el": 20.0,
        "mean_intvty": 50.0,
        "std_intvty": 900.0,
    }
    sweep = [
        {
            **one,
            "conc": n + 1,
            "tput_per_gpu": 900.0 + n,
            "input_tput_per_gpu": 800.0 + n,
            "output_tput_per_gpu": 100.0,
        }
        for n in range(rows)
    ]
    path.write_text(json.dumps(sweep), "utf-8")


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds that ``call`` takes: those of the clock hang on what else the machine does."""
    start_s = process_time()
    call()
    return process_time() - start_s


def read_rows(path: Path) -> None:
    """What csv.reader alone takes."""
    with path.open(newline="") as file:
        for _ in csv.reader(file):
            pass


def integrate(path: Path) -> None:
    """The whole way of a log: read it, learn its polling, integrate a window of each device."""
    log = read_log(path)
    start_s, end_s = log.range_s
    for device in log.devices.values():
        polling = polling_of(device.times_s, device.powers_w)
        polled_energy(device.times_s, device.powers_w, Span(start_s + 10, end_s - 10), polling)


def import_sweep(path: Path) -> None:
    """The whole way of a sweep: rows, doubts, run, run file and table."""
    found = KINDS["inferencemax"](documents_of(path))
    how = Importing("inferencemax", "a tool", "2026-01-01T00:00:00Z", published_table())
    run, _ = readable_part(run_of(found.results, how))
    run_as_json(run)
    workload_table(run, Selection(), "terminal")


def main() -> None:
    """Measure both, and print a line for each."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
    with tempfile.TemporaryDirectory() as folder:
        log, sweep = Path(folder, "power.csv"), Path(folder, "agg.json")
        write_log(log, megabytes)
        alone_s, whole_s = seconds(lambda: read_rows(log)), seconds(lambda: integrate(log))
        print(
            f"{megabytes:g} MB: csv.reader {alone_s:.2f} s, whq {whole_s:.2f} s, "
            f"{whole_s / alone_s:.1f} times"
        )
        write_sweep(sweep, 1600)
        print(f"1,600 rows: {seconds(lambda: import_sweep(sweep)):.2f} s")


if __name__ == "__main__":
    main()
