"""One measurement on a device at a time, among all processes of this machine.

What another process draws from a device while a window is open would be taken for the window's own.
A claim is a name in Linux's abstract socket namespace, which of all that processes may hold in common is
the only one without a file. So it follows no TMPDIR, is the same for every user, needs no permission, no
lock daemon and no disk, leaves nothing in whose place a link or a FIFO could be laid, ends with its
process, and the kernel says who holds it. A container with a network of its own is not in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_whq.measuring.clock import pause
from pytest_whq.measuring.held_devices import HELD, Holder
from pytest_whq.model import Device, Reason
from pytest_whq.real_time import now_s
from pytest_whq.units import format_seconds

WAIT_S = 1800.0
"""Waited at most for a device that another process measures on."""

_RETRY_S = 0.02
_FIRST_SAID_S, _SAID_EVERY_S = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What came of claiming devices; ``release`` gives back those that were got.

    ``reason`` is None where all are held, ``unclaimed`` where one could not be, and ``device_busy`` where
    another process did not let go of one in time: then none is held.
    """

    device_ids: tuple[str, ...]
    reason: Reason | None = None

    def release(self) -> None:
        """Give the devices back; the last in this process that holds one does."""
        for device_id in self.device_ids:
            HELD.give_back(device_id)


class Claim:
    """The right to measure ``devices``, for one process at a time, within which it is shared.

    ``waiting`` hears a sentence when somebody else holds one, and an empty one when that is over;
    ``still_waiting`` hears it again after 10 s and then each minute. After ``wait_s`` it gives up, and from
    then on does not wait again until the device was free once.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        waiting: Callable[[str], None],
        still_waiting: Callable[[str], None] = lambda text: None,
        wait_s: float = WAIT_S,
    ) -> None:
        # Always in the same order, so that no two processes wait for each other.
        self._devices = sorted(devices, key=lambda device: device.id)
        self._waiting = waiting
        self._still_waiting = still_waiting
        self._wait_s = wait_s
        self._gave_up = False

    async def acquire(self) -> Hold:
        """Take every device in turn, waiting while another process measures on it."""
        taken: list[str] = []
        unclaimed: Reason | None = None
        try:
            for device in self._devices:
                reason = await self._take(device)
                if reason is None:
                    taken.append(device.id)
                elif reason.code == "device_busy":
                    self._gave_up = True
                    Hold(tuple(taken)).release()
                    return Hold((), reason)
                else:
                    unclaimed = unclaimed or reason
        except BaseException:
            Hold(tuple(taken)).release()
            raise
        self._gave_up = False
        return Hold(tuple(taken), unclaimed)

    async def _take(self, device: Device) -> Reason | None:
        began_s = now_s()
        due_s = began_s + _FIRST_SAID_S
        said = ""
        try:
            while not HELD.take(device.id):
                holder = HELD.holder(device.id)
                if holder.is_ancestor:
                    return _unclaimed(device, "the process that this one was forked from measures on it")
                if now_s() - began_s >= (0.0 if self._gave_up else self._wait_s):
                    return _busy(device, holder, self._wait_s)
                sentence = f"waiting for {device.name}: {holder.measures}"
                if sentence != said:
                    said = sentence
                    self._waiting(sentence)
                if now_s() >= due_s:
                    due_s += _SAID_EVERY_S
                    self._still_waiting(f"{sentence}, for {format_seconds(now_s() - began_s)} so far")
                await pause(_RETRY_S)
        except OSError as error:
            return _unclaimed(device, error.strerror or str(error))
        finally:
            if said:
                self._waiting("")
        return None


def _unclaimed(device: Device, why: str) -> Reason:
    return Reason(
        "unclaimed",
        f"{device.name} could not be claimed ({why}): what another process did on it meanwhile is counted",
    )


def _busy(device: Device, holder: Holder, waited_s: float) -> Reason:
    return Reason(
        "device_busy",
        f"{device.name}: {holder.measures} and did not let go of it within {format_seconds(waited_s)}. "
        "Let it end, or wait longer with --whq-wait.",
    )
