"""One process at a time measures on a device: names that nobody has to clean up."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import pytest
from patience import PATIENT_S

from pytest_whq.measuring.claim import Claim, Hold
from pytest_whq.measuring.clock import SystemClock, Waits, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Device, TokenCount
from pytest_whq.testing import FakeClock, ScriptedSource

PROCESS = """
import sys
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.model import Device

task, *ids = sys.argv[1:]
claim = Claim([Device(id_, id_) for id_ in ids], lambda text: None)
if task == "ask":
    try:
        claim.acquire().send(None)
    except StopIteration:
        sys.exit("free")
    sys.exit("held")
for _ in range(1 if task == "hold" else 200):
    hold = wait(SystemClock(), claim.acquire())
    if task == "hold":
        print("held", flush=True)
        sys.stdin.read()
    hold.release()
"""


@pytest.fixture
def gpu() -> Device:
    """A device that no other test knows."""
    return Device(f"GPU-{uuid.uuid4()}", "NVIDIA H100")


@pytest.fixture
def other_gpu() -> Device:
    return Device(f"GPU-{uuid.uuid4()}", "NVIDIA L4")


def start(task: str, *devices: Device, **environment: str) -> subprocess.Popen[str]:
    """A process that is to ``hold`` these devices, to ``ask`` whether they are free, or to ``repeat``."""
    command = [sys.executable, "-c", PROCESS, task, *(device.id for device in devices)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **environment}
    )


@contextlib.contextmanager
def held_elsewhere(*devices: Device, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with start("hold", *devices, **environment) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def is_free(*devices: Device) -> bool:
    """Whether another process gets these devices at once."""
    with start("ask", *devices) as asking:
        _, answer = asking.communicate()
    assert answer in ("held\n", "free\n")
    return answer == "free\n"


def claim_on(*devices: Device, said: list[str] | None = None, wait_s: float = 60.0) -> Claim:
    heard: list[str] = [] if said is None else said
    return Claim(devices, heard.append, wait_s=wait_s)


def take(claim: Claim) -> Hold:
    """Acquire what must be free."""
    hold = ended_at_once(claim.acquire())
    assert hold is not None
    assert hold.reason is None
    return hold


def ended_at_once(waits: Waits[Hold]) -> Hold | None:
    """Go on with ``waits``: what comes of it without waiting any longer, None where it waits."""
    try:
        waits.send(None)
    except StopIteration as done:
        hold: Hold = done.value
        return hold
    return None


def test_a_claim_keeps_other_processes_out_until_it_is_released(gpu: Device) -> None:
    hold = take(claim_on(gpu))
    assert not is_free(gpu)
    hold.release()
    assert is_free(gpu)


def test_devices_are_claimed_one_by_one(gpu: Device, other_gpu: Device) -> None:
    with held_elsewhere(gpu):
        take(claim_on(other_gpu)).release()


def test_a_temp_folder_of_ones_own_makes_no_difference(
    gpu: Device, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with held_elsewhere(gpu, TMPDIR=str(tmp_path_factory.mktemp("own"))):
        assert not is_free(gpu)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_another_user_is_kept_out_too(gpu: Device) -> None:
    with held_elsewhere(gpu):
        os.seteuid(65534)
        try:
            assert ended_at_once(claim_on(gpu).acquire()) is None
        finally:
            os.seteuid(0)


def test_a_claim_dies_with_its_process(gpu: Device) -> None:
    with held_elsewhere(gpu) as holder:
        waits = claim_on(gpu).acquire()
        assert ended_at_once(waits) is None
        holder.kill()
        holder.wait()
        hold = ended_at_once(waits)
    assert hold is not None
    hold.release()


def test_what_a_process_starts_does_not_keep_its_claim(gpu: Device) -> None:
    hold = take(claim_on(gpu))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            hold.release()
            assert is_free(gpu)
        finally:
            child.kill()


def test_who_waits_says_for_whom_and_when_that_is_over(gpu: Device) -> None:
    said: list[str] = []
    with held_elsewhere(gpu) as holder:
        waits = claim_on(gpu, said=said).acquire()
        assert [waits.send(None) for _ in range(3)] == [0.02, 0.02, 0.02]
        (sentence,) = said
        assert sentence.startswith(f"waiting for NVIDIA H100: process {holder.pid} measures on it (")
        assert sentence.endswith("...)")
        assert " -c ?import sys?" in sentence
    hold = wait(SystemClock(), waits)
    assert said[1:] == [""]
    hold.release()


def test_who_waits_for_long_says_so_in_the_log(gpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_whq.measuring.claim._FIRST_SAID_S", 0.0)
    logged: list[str] = []
    claim = Claim([gpu], lambda text: None, logged.append, 60.0)
    with held_elsewhere(gpu):
        waits = claim.acquire()
        for _ in range(3):
            waits.send(None)
        waits.close()
    (line,) = logged
    assert re.search(r"measures on it \(.*\), for [\d.]+ \w+ so far$", line)


def test_who_need_not_wait_says_nothing(gpu: Device) -> None:
    said: list[str] = []
    take(claim_on(gpu, said=said)).release()
    assert said == []


def test_a_device_that_is_not_let_go_of_is_given_up_once(gpu: Device, other_gpu: Device) -> None:
    claim = claim_on(gpu, other_gpu, wait_s=0.1)
    with held_elsewhere(max(gpu, other_gpu, key=lambda device: device.id)) as holder:
        began_s = time.monotonic()
        given_up = wait(SystemClock(), claim.acquire())
        assert 0.1 <= time.monotonic() - began_s < 10.0
        assert is_free(min(gpu, other_gpu, key=lambda device: device.id))
        assert given_up.reason is not None
        assert given_up.reason.code == "device_busy"
        assert f"process {holder.pid} measures on it (" in given_up.reason.sentence
        assert given_up.reason.sentence.endswith(
            ") and did not let go of it within 100 ms. Let it end, or wait longer with --whq-wait."
        )
        again = ended_at_once(claim.acquire())
        assert again is not None
        assert again.reason == given_up.reason
    take(claim).release()
    with held_elsewhere(gpu):
        assert ended_at_once(claim.acquire()) is None


def test_within_a_process_a_claim_is_shared(gpu: Device) -> None:
    holds = [take(claim_on(gpu)), take(claim_on(gpu))]
    holds[0].release()
    assert not is_free(gpu)
    holds[1].release()
    assert is_free(gpu)


def test_who_waits_beside_another_session_of_its_process_shares_what_that_gets(gpu: Device) -> None:
    with held_elsewhere(gpu):
        first, second = claim_on(gpu).acquire(), claim_on(gpu).acquire()
        first.send(None)
        second.send(None)
    holds = [wait(SystemClock(), waits) for waits in (first, second)]
    holds[0].release()
    assert not is_free(gpu)
    holds[1].release()
    assert is_free(gpu)


def test_a_claim_that_is_given_up_while_waiting_gives_back_what_it_had(
    gpu: Device, other_gpu: Device
) -> None:
    first, last = sorted([gpu, other_gpu], key=lambda device: device.id)
    with held_elsewhere(last):
        waits = claim_on(gpu, other_gpu).acquire()
        waits.send(None)
        assert not is_free(first)
        waits.close()
        assert is_free(first)


def test_processes_that_claim_the_same_devices_in_different_orders_never_block_each_other(
    gpu: Device, other_gpu: Device
) -> None:
    with start("repeat", gpu, other_gpu) as one, start("repeat", other_gpu, gpu) as other:
        try:
            assert [one.wait(timeout=PATIENT_S), other.wait(timeout=PATIENT_S)] == [0, 0]
        finally:
            one.kill()
            other.kill()


def test_a_forked_child_does_not_wait_for_its_parent_and_frees_nothing_of_it(gpu: Device) -> None:
    hold = take(claim_on(gpu))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            own = ended_at_once(claim_on(gpu).acquire())
            assert own is not None
            hold.release()
            own.release()
            os.write(writing, repr(own.reason).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with open(reading, "rb") as answer:
        assert "unclaimed" in (text := answer.read().decode())
    assert (
        "NVIDIA H100 could not be claimed (the process that this one was forked from measures on it)" in text
    )
    assert not is_free(gpu)
    hold.release()
    assert is_free(gpu)


def test_where_no_name_can_be_had_the_window_is_measured_with_a_warning(
    gpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", Refusing)
    clock = FakeClock()
    source = ScriptedSource(clock, device=gpu)
    meter = Meter(clock, Sampler(source, clock), claim=claim_on(gpu))
    wait(clock, meter.claim())
    wait(clock, meter.open())
    meter.begin()
    source.call(2.0, 450.0)
    meter.tally.succeed(TokenCount(1, 1))
    meter.end()
    wait(clock, meter.close())
    measured = meter.measurement(precision=0.2)
    (reason,) = measured.reasons
    assert (measured.valid, reason.code) == (True, "unclaimed")
    assert reason.sentence == (
        "NVIDIA H100 could not be claimed (Operation not permitted): "
        "what another process did on it meanwhile is counted"
    )
    assert measured.energy_j == pytest.approx(900.0, rel=0.01)


def test_a_device_that_stays_busy_is_not_measured(gpu: Device) -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, device=gpu)
    meter = Meter(clock, Sampler(source, clock), claim=claim_on(gpu, wait_s=0.0))
    with held_elsewhere(gpu):
        wait(clock, meter.claim())
        wait(clock, meter.open())
        meter.begin()
        source.call(1.0, 450.0)
        meter.tally.succeed(TokenCount(1, 1))
        meter.end()
        wait(clock, meter.close())
    measured = meter.measurement(precision=0.02)
    assert (measured.valid, measured.energy_j, measured.queries) == (False, None, 1)
    assert [reason.code for reason in measured.reasons] == ["device_busy"]
