"""The line that a long measurement shows on a terminal, seen through a pseudo-terminal."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from measured_project import MeasuredProject
from patience import PATIENT_S

from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.model import Device

SAVE, RESTORE, CLEAR = "\x1b7", "\x1b8", "\x1b[K"
LIVE = re.compile(f"{SAVE}(.*?){re.escape(CLEAR)}{RESTORE}")


def seen_on_terminal(
    project: MeasuredProject,
    *arguments: str,
    look: Callable[[str], None] = lambda so_far: None,
    **environment: str,
) -> str:
    """All that pytest writes to a terminal of 80 columns; ``look`` sees it as it comes."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", *arguments],
        cwd=project.path,
        stdin=child,
        stdout=child,
        stderr=child,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm", **environment},
        close_fds=True,
    )
    os.close(child)
    seen = b""
    with contextlib.suppress(OSError):  # The child has closed its end.
        while chunk := os.read(parent, 4096):
            seen += chunk
            look(seen.decode(errors="replace"))
    process.wait(timeout=PATIENT_S)
    os.close(parent)
    return seen.decode().replace("\r\n", "\n")


TESTS = """
import pytest

def test_chat(whq, client):
    print("captured")
    whq(client.chat, "Say hi.")

@pytest.mark.whq
def test_marker():
    pass

def test_other():
    pass
"""


def test_rounds_are_shown_while_a_call_is_measured_and_then_taken_back(project: MeasuredProject) -> None:
    project.tests(TESTS)
    seen = seen_on_terminal(project)
    shown = LIVE.findall(seen)
    assert [re.sub(r"± .* %", "± ? %", text) for text in shown] == [
        " round 1 of 5, 1.0 s",
        " round 2 of 5, 2.0 s",
        " round 3 of 5, 3.0 s",
        " round 4 of 5, 4.0 s, ± ? %",
        " round 5 of 5, 5.0 s, ± ? %",
        "",
        " measuring",
        "",
    ]
    assert seen.index(shown[0]) > seen.index("\ntest_it.py ")
    without = LIVE.sub("", seen)
    assert "\x1b" not in without
    assert "captured" not in without
    line = next(line for line in without.splitlines() if line.startswith("test_it.py "))
    assert line == f"test_it.py ...{'[100%]':>65}"


def test_the_live_line_stands_behind_the_name_of_the_test(project: MeasuredProject) -> None:
    project.tests(TESTS)
    seen = seen_on_terminal(project, "-v")
    assert f"\ntest_it.py::test_chat {SAVE} round 1 of 5, 1.0 s{CLEAR}{RESTORE}" in seen
    assert f"{SAVE}{CLEAR}{RESTORE}PASSED" in seen


def test_a_load_and_a_window_tell_how_far_they_are(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests("""
        import time

        def test_load(whq):
            whq.load(lambda number: time.sleep(0.1), range(16), concurrency=2, queries=16)

        def test_window(whq):
            with whq.measure() as window:
                for _ in range(8):
                    time.sleep(0.1)
                    window.record()
    """)
    seen = seen_on_terminal(project)
    shown = LIVE.findall(seen)
    assert any(re.fullmatch(r" \d+ of 16 queries, [\d.]+ m?s", text) for text in shown), shown
    assert any(re.fullmatch(r" [2-8] queries recorded", text) for text in shown), shown
    assert "2 passed" in seen


def test_who_waits_for_another_session_says_so(project: MeasuredProject) -> None:
    project.tests(TESTS)
    board = Device(f"GPU-{project.path}/conftest.py", "Scripted H100")
    claim = Claim([board], waiting=lambda text: None)
    hold = wait(SystemClock(), claim.acquire())
    waiting = f"{SAVE} waiting for Scripted H100: process {os.getpid()} measures on it ("
    released: list[bool] = []

    def let_go(so_far: str) -> None:
        if waiting in so_far and not released:
            released.append(True)
            hold.release()

    seen = seen_on_terminal(project, look=let_go)
    _, _, after = seen.partition(waiting)
    assert after.split(RESTORE)[1] == f"{SAVE}{CLEAR}"
    assert "3 passed" in seen


MEASURED_LONG = """
import time
import pytest

@pytest.mark.parametrize("model", ["llama", "qwen"])
def test_load(whq, model):
    whq.load(lambda number: time.sleep(0.1), range(30), concurrency=2, queries=30)

@pytest.mark.parametrize("number", range(4))
def test_other(number):
    time.sleep(0.3)
"""


@pytest.mark.once
def test_workers_tell_in_one_line_what_they_measure(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests(MEASURED_LONG)
    seen = seen_on_terminal(project, "-n2")
    shown = LIVE.findall(seen)
    one = r"test_load\[(llama|qwen)\]: \d+ of 30 queries, [\d.]+ m?s"
    assert any(re.fullmatch(f" {one}", text) for text in shown), shown
    assert "\x1b" not in LIVE.sub("", seen)
    # Every line that was shown is taken back before pytest writes on, or by the line that replaces it.
    assert not re.search(f"{SAVE}[^\x1b]+{re.escape(CLEAR)}{RESTORE}(?!{SAVE})", seen)
    assert f"\n......{'[100%]':>73}\n" in LIVE.sub("", seen)


@pytest.mark.parametrize("arguments", [["-q"], ["-s"], ["-n1", "-q"]])
def test_there_is_no_live_line_where_it_would_disturb(project: MeasuredProject, arguments: list[str]) -> None:
    project.tests(TESTS)
    seen = seen_on_terminal(project, *arguments)
    assert SAVE not in seen
    assert "3 passed" in seen


def test_there_is_no_live_line_on_a_dumb_terminal_or_in_a_file(project: MeasuredProject) -> None:
    project.tests(TESTS)
    assert SAVE not in seen_on_terminal(project, TERM="dumb")
    assert SAVE not in project.run().stdout.str()
    assert SAVE not in project.run("-n1").stdout.str()


def test_a_terminal_that_cannot_show_it_does_not_disturb_the_measurement(project: MeasuredProject) -> None:
    project.tests(TESTS)
    seen = seen_on_terminal(project, PYTHONIOENCODING="ascii")
    assert "round 3" in seen
    assert "3 passed" in seen
