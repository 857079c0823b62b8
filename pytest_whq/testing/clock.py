"""A clock whose time a test lets pass."""

import math
from collections.abc import Callable
from random import Random


class FakeClock:
    """A `pytest_whq.measuring.clock.Clock` whose time passes only while somebody sleeps.

    What repeats takes its turns up to ``late_s`` late, as threads do: how late, the ``seed`` decides.
    """

    def __init__(self, start_s: float = 1000.0, *, late_s: float = 0.0, seed: int = 0) -> None:
        self._now_s = start_s
        self._late_s, self._random = late_s, Random(seed)
        self._repeaters: list[_FakeRepeating] = []

    def now(self) -> float:
        """The time now, in seconds."""
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, and what repeats meanwhile take its turns."""
        end_s = self._now_s + seconds
        while due := [r for r in self._repeaters if r.due_s <= end_s]:
            earliest = min(due, key=lambda repeater: repeater.due_s)
            self._now_s = max(self._now_s, earliest.due_s)
            earliest.turn(self)
        self._now_s = max(self._now_s, end_s)

    async def sleep_async(self, seconds: float) -> None:
        """Let time pass; no other task of the event loop gets a turn."""
        self.sleep(seconds)

    def spend(self, seconds: float) -> None:
        """Let time pass at work, as a reading does: nothing else takes its turn meanwhile."""
        self._now_s += seconds

    def lateness_s(self) -> float:
        """How late the next turn comes."""
        return self._random.uniform(0.0, self._late_s)

    def repeat(self, step: Callable[[], float]) -> "_FakeRepeating":
        """Call ``step`` whenever its time has come."""
        repeater = _FakeRepeating(step, self._now_s, self._repeaters)
        self._repeaters.append(repeater)
        return repeater


class _FakeRepeating:
    def __init__(self, step: Callable[[], float], due_s: float, repeaters: "list[_FakeRepeating]") -> None:
        self._step = step
        self._repeaters = repeaters
        self.due_s = due_s

    def turn(self, clock: FakeClock) -> None:
        # While it runs it is not due: the step itself may sleep.
        self.due_s = math.inf
        pause_s = self._step()
        self.due_s = clock.now() + pause_s + clock.lateness_s()

    def wake(self) -> None:
        self.due_s = -math.inf

    def step_now(self, longest_s: float) -> bool:
        self._step()
        return True

    def stop(self) -> None:
        if self.alive:
            self._repeaters.remove(self)

    @property
    def alive(self) -> bool:
        return self in self._repeaters
