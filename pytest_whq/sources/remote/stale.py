"""Meters that have stopped: they go on answering, always the same. Pure."""

from pytest_whq.errors import SourceError

STOPPED_S = 60.0
"""No meter of a whole machine that works shows the very same watts for so long: its fans alone move more."""

_PAUSE_S = 10.0
"""Who does not ask for longer has no window open, and what a machine at rest shows is of no interest."""


class Moving:
    """Notes since when each meter of ``source`` shows what it shows, while it is asked."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._asked_s = self._from_s = float("-inf")
        self._since: dict[str, tuple[float, float]] = {}

    def ask(self, now_s: float) -> None:
        """The meters are asked now, for the first time in a while or not."""
        if now_s - self._asked_s > _PAUSE_S:
            self._from_s = now_s
            self._since.clear()
        self._asked_s = now_s

    def look(self, id_: str, time_s: float, power_w: float) -> None:
        """A meter shows ``power_w``; SourceError where it has done so for longer than one that works can."""
        if time_s < self._from_s:
            return
        since_s, before_w = self._since.setdefault(id_, (time_s, power_w))
        if power_w != before_w:
            self._since[id_] = time_s, power_w
        elif time_s - since_s > STOPPED_S:
            raise SourceError(
                f"{self._source}: the meter of {id_} has shown {power_w:g} W for {time_s - since_s:.0f} s "
                "without a change: it has stopped. Reset the BMC, or measure by another source."
            )
