"""One process at a time measures on a device: locks that nobody has to clean up."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import SystemClock, Waits, wait
from pytest_whq.model import Device

GPU, OTHER_GPU = Device("GPU-a", "NVIDIA H100"), Device("GPU-b", "NVIDIA L4")

PROCESS = """
import sys
from pathlib import Path
from pytest_whq.measuring.claim import Claim
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.model import Device

task, folder, *ids = sys.argv[1:]
claim = Claim([Device(id_, id_) for id_ in ids], lambda text: None, Path(folder))
if task == "ask":
    try:
        claim.acquire().send(None)
    except StopIteration:
        sys.exit("free")
    sys.exit("held")
for _ in range(1 if task == "hold" else 200):
    wait(SystemClock(), claim.acquire())
    if task == "hold":
        print("held", flush=True)
        sys.stdin.read()
    claim.release()
"""


def start(task: str, folder: Path, *ids: str) -> subprocess.Popen[str]:
    """A process that is to ``hold`` these devices, to ``ask`` whether they are free, or to ``repeat``."""
    command = [sys.executable, "-c", PROCESS, task, str(folder), *ids]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@contextlib.contextmanager
def held_elsewhere(folder: Path, *ids: str) -> Iterator[subprocess.Popen[str]]:
    with start("hold", folder, *ids) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def is_free(folder: Path, *ids: str) -> bool:
    """Whether another process gets these devices at once."""
    with start("ask", folder, *ids) as asking:
        _, answer = asking.communicate()
    assert answer in ("held\n", "free\n")
    return answer == "free\n"


def claim_on(folder: Path, *devices: Device, said: list[str] | None = None) -> Claim:
    heard: list[str] = [] if said is None else said
    return Claim(devices, heard.append, folder)


def take(claim: Claim) -> None:
    """Acquire what must be free."""
    assert ends_at_once(claim.acquire())


def ends_at_once(waits: Waits[None]) -> bool:
    """Go on with ``waits``: whether it comes to its end without waiting any longer."""
    try:
        waits.send(None)
    except StopIteration:
        return True
    return False


def test_a_claim_keeps_other_processes_out_until_it_is_released(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, GPU)
    take(claim)
    assert not is_free(tmp_path, GPU.id)
    claim.release()
    assert is_free(tmp_path, GPU.id)


def test_devices_are_claimed_one_by_one(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, GPU.id):
        take(claim_on(tmp_path, OTHER_GPU))


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, GPU)
    with held_elsewhere(tmp_path, GPU.id) as holder:
        waits = claim.acquire()
        assert waits.send(None) > 0
        holder.kill()
        holder.wait()
        assert ends_at_once(waits)


def test_who_waits_says_for_what_and_when_that_is_over(tmp_path: Path) -> None:
    said: list[str] = []
    claim = claim_on(tmp_path, GPU, said=said)
    with held_elsewhere(tmp_path, GPU.id) as holder:
        waits = claim.acquire()
        assert [waits.send(None) for _ in range(3)] == [0.02, 0.02, 0.02]
        assert said == [f"waiting for NVIDIA H100: process {holder.pid} measures on it"]
    wait(SystemClock(), waits)
    assert said[1:] == [""]


def test_who_need_not_wait_says_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    take(claim_on(tmp_path, GPU, said=said))
    assert said == []


@pytest.mark.parametrize("text", [b"", b"\x1b[31mroot", b"-1", "\u0661".encode()])
def test_what_a_lock_file_holds_is_shown_only_where_it_is_a_process_id(tmp_path: Path, text: bytes) -> None:
    said: list[str] = []
    with held_elsewhere(tmp_path, GPU.id):
        (file,) = tmp_path.glob("*.lock")
        file.write_bytes(text)
        claim_on(tmp_path, GPU, said=said).acquire().send(None)
    assert said == ["waiting for NVIDIA H100: another process measures on it"]


def test_within_a_process_a_claim_is_shared(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, GPU)
    take(claim)
    take(claim)
    claim.release()
    assert not is_free(tmp_path, GPU.id)
    claim.release()
    assert is_free(tmp_path, GPU.id)


def test_who_shares_a_claim_waits_while_the_first_still_waits(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, GPU)
    with held_elsewhere(tmp_path, GPU.id):
        first, second = claim.acquire(), claim.acquire()
        first.send(None)
        second.send(None)
    assert second.send(None) > 0
    wait(SystemClock(), first)
    assert ends_at_once(second)
    assert not is_free(tmp_path, GPU.id)


def test_who_shares_a_claim_takes_it_where_the_first_has_given_up(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, GPU)
    with held_elsewhere(tmp_path, GPU.id):
        first, second = claim.acquire(), claim.acquire()
        first.send(None)
        second.send(None)
        first.close()
    wait(SystemClock(), second)
    assert not is_free(tmp_path, GPU.id)
    claim.release()
    assert is_free(tmp_path, GPU.id)


def test_a_claim_that_is_given_up_while_waiting_gives_back_what_it_had(tmp_path: Path) -> None:
    claim = claim_on(tmp_path, OTHER_GPU, GPU)
    with held_elsewhere(tmp_path, OTHER_GPU.id):
        waits = claim.acquire()
        waits.send(None)
        assert not is_free(tmp_path, GPU.id)
        waits.close()
        assert is_free(tmp_path, GPU.id)


def test_processes_that_claim_the_same_devices_in_different_orders_never_block_each_other(
    tmp_path: Path,
) -> None:
    with start("repeat", tmp_path, "a", "b") as one, start("repeat", tmp_path, "b", "a") as other:
        try:
            assert [one.wait(timeout=60), other.wait(timeout=60)] == [0, 0]
        finally:
            one.kill()
            other.kill()


def test_lock_files_are_for_every_user(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    before = os.umask(0o077)
    try:
        take(claim_on(folder, GPU))
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, file)] == [0o1777, 0o666]


def test_a_folder_in_which_nothing_can_be_written_keeps_nobody_from_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    claim = claim_on(tmp_path / "file", GPU)
    take(claim)
    claim.release()


def test_a_lock_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    take(claim_on(tmp_path, GPU))
    (file,) = tmp_path.iterdir()
    (target := tmp_path / "target").write_text("mine")
    file.unlink()
    file.symlink_to(target)
    take(claim_on(tmp_path, GPU))
    assert target.read_text() == "mine"


def test_a_lock_file_that_another_user_has_closed_keeps_nobody_from_measuring(tmp_path: Path) -> None:
    take(claim_on(tmp_path, GPU))
    (file,) = tmp_path.iterdir()
    file.chmod(0o400)
    with as_a_user_without_rights():
        claim = claim_on(tmp_path, GPU)
        take(claim)
        claim.release()


@contextlib.contextmanager
def as_a_user_without_rights() -> Iterator[None]:
    """Not as root, whom no mode of a file keeps out."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
