import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from timed_estimate import TOLERANCE_S, TimedEstimate

from pytest_whq.model import Device, DeviceState
from pytest_whq.sources import cpu_name, process_tree
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.process_tree import ProcessTree, read_stat

BURN = """
import time
while time.process_time() < 0.2: pass
print(time.process_time(), flush=True)
"""
BURN_AND_STAY = BURN + "input()\n"

START_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-ISc", sys.argv[1]], stdin=subprocess.PIPE)
input()
child.communicate(b"\\n")
print(time.process_time(), flush=True)
input()
"""
START_AND_ABANDON = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-ISc", sys.argv[1]])
print(time.process_time(), flush=True)
input()
"""


def burn(seconds: float) -> float:
    """Use that much CPU time; what it was exactly."""
    start_s = time.process_time()
    while (burnt_s := time.process_time() - start_s) < seconds:
        pass
    return burnt_s


@contextmanager
def python(code: str, *args: str, executable: str = sys.executable) -> Iterator[subprocess.Popen[str]]:
    """A child of this process that runs ``code``; waited for at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen([executable, "-ISc", code, *args], stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def said_s(process: subprocess.Popen[str]) -> float:
    """The CPU seconds that the next line of a child's output tells."""
    assert process.stdout is not None
    return float(process.stdout.readline())


def tell(process: subprocess.Popen[str]) -> None:
    """End the wait of a child for its next line."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=TOLERANCE_S)


@pytest.fixture
def source() -> TimedEstimate:
    return TimedEstimate()


@pytest.mark.untraced
def test_a_cpu_second_is_three_and_a_half_joules(source: TimedEstimate) -> None:
    (before,), burnt_s, (after,) = source.read(), burn(0.1), source.read()
    assert before.energy_j is not None
    assert after.energy_j is not None
    assert after.energy_j - before.energy_j == pytest.approx(3.5 * burnt_s, abs=0.02)


def test_what_a_reading_costs_is_left_out(source: TimedEstimate, monkeypatch: pytest.MonkeyPatch) -> None:
    def search_at_length(tree: ProcessTree) -> list[int]:
        burn(0.05)
        return []

    monkeypatch.setattr(ProcessTree, "_find_new", search_at_length)
    (before,), (after,) = source.read(), source.read()
    assert before.energy_j is not None
    assert after.energy_j == pytest.approx(before.energy_j, abs=0.02)


def test_a_living_child_is_counted(source: TimedEstimate) -> None:
    before_s = source.others_s()
    with python(BURN_AND_STAY) as child:
        burnt_s = said_s(child)
        assert source.others_s() - before_s == near(burnt_s)
        tell(child)


def test_a_child_that_no_reading_saw_is_counted_when_it_was_waited_for(source: TimedEstimate) -> None:
    before_s = source.others_s()
    with python(BURN) as child:
        burnt_s = said_s(child)
    assert source.others_s() - before_s == near(burnt_s)


def test_a_child_that_was_seen_and_then_waited_for_counts_once(source: TimedEstimate) -> None:
    before_s = source.others_s()
    with python(BURN_AND_STAY) as child:
        burnt_s = said_s(child)
        source.others_s()
        tell(child)
        time.sleep(0.05)
        assert read_stat(child.pid) is not None, "a zombie until it is waited for"
        assert source.others_s() - before_s == near(burnt_s)
    assert source.others_s() - before_s == near(burnt_s)


def test_a_grandchild_is_counted_living_and_waited_for(source: TimedEstimate) -> None:
    before_s = source.others_s()
    with python(START_A_CHILD, BURN_AND_STAY) as child:
        grandchild_s = said_s(child)
        stat = read_stat(child.pid)
        assert stat is not None
        assert source.others_s() - before_s == near(grandchild_s + stat.own_s)
        tell(child)
        both_s = grandchild_s + said_s(child)
        assert source.others_s() - before_s == near(both_s)
        tell(child)
    assert source.others_s() - before_s == near(both_s)


@pytest.mark.untraced
def test_a_grandchild_goes_on_counting_when_its_parent_exits_first(source: TimedEstimate) -> None:
    before_s = source.others_s()
    with python(START_AND_ABANDON, f"import time\ntime.sleep(0.2){BURN}time.sleep(0.3)") as child:
        child_s = said_s(child)
        time.sleep(0.15)
        source.others_s()
        tell(child)
        child.wait()
        both_s = child_s + said_s(child)
        assert source.others_s() - before_s == near(both_s)
        time.sleep(0.5)
        assert source.others_s() - before_s == near(both_s)


def test_the_count_never_decreases_while_processes_come_and_go(source: TimedEstimate) -> None:
    counts = []
    for _ in range(3):
        with python(START_A_CHILD, "input()") as child:
            tell(child)
            tell(child)
            while child.poll() is None:
                counts.append(source.read()[0].energy_j)
    assert counts == sorted(counts)  # type: ignore[type-var]


def test_without_proc_children_count_once_they_were_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_tree, "_proc_is_ours", lambda: False)
    source = TimedEstimate()
    before_s = source.others_s()
    with python(BURN_AND_STAY) as child:
        burnt_s = said_s(child)
        assert source.others_s() - before_s == near(0.0)
        tell(child)
    assert source.others_s() - before_s == near(burnt_s)


def test_a_process_whose_name_holds_spaces_and_parentheses_is_read(tmp_path: Path) -> None:
    executable = tmp_path / "a) R 1 (b"
    executable.symlink_to(Path(sys.executable).resolve())
    with python(BURN_AND_STAY, executable=str(executable)) as child:
        burnt_s = said_s(child)
        assert b"(a) R 1 (b)" in Path(f"/proc/{child.pid}/stat").read_bytes()
        stat, here = read_stat(child.pid), read_stat(os.getpid())
        tell(child)
    assert stat is not None
    assert here is not None
    assert stat.parent == os.getpid()
    assert stat.start >= here.start
    assert stat.own_s == near(burnt_s)


def test_a_kernel_without_clocks_of_other_processes_is_read_in_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(clock: int) -> float:
        raise OSError(22, "Invalid argument")

    with python(BURN_AND_STAY) as child:
        burnt_s = said_s(child)
        monkeypatch.setattr("time.clock_gettime", refuse)
        stat = read_stat(child.pid)
        tell(child)
    assert stat is not None
    assert stat.own_s == near(burnt_s)
    assert stat.own_s == pytest.approx(round(stat.own_s, 2))


def test_a_process_that_is_not_there_has_no_stat() -> None:
    with python("") as child:
        pass
    assert read_stat(child.pid) is None


def test_it_is_a_power_source_of_one_cpu_that_says_it_estimates(source: TimedEstimate) -> None:
    assert isinstance(source, PowerSource)
    assert (source.scope, source.estimated) == ("cpu", True)
    (device,) = source.devices()
    cpus = Path("/proc/cpuinfo").read_text()
    assert device == Device(id="cpu", name=device.name, power_limit_w=None, role=None)
    assert f"model name\t: {device.name}\n" in cpus
    (reading,) = source.read()
    assert (reading.device_id, reading.power_w) == ("cpu", None)
    assert source.state() == (DeviceState("cpu"),)
    source.close()


def test_a_cpu_that_linux_does_not_name_is_named_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(cpu_name, "open", refuse, raising=False)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert TimedEstimate().devices()[0].name == "aarch64"
