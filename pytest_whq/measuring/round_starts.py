"""When rounds begin: each at another phase of the slowest sensor's refresh, so that none is seen the same."""

from pytest_whq.joules.trace import Trace
from pytest_whq.measuring.clock import Clock, pause
from pytest_whq.measuring.pace import EDGE_S
from pytest_whq.measuring.plan import start_phase


class RoundStarts:
    """The phases of one measurement; the first round begins at once, and its phase is where they begin."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first_phase: float | None = None

    async def wait(self, trace: Trace, round_number: int, opened_s: float) -> None:
        """Wait for the phase at which the round should begin, of the sensor whose readings began then."""
        period_s = trace.refresh_s
        if period_s is None:
            return
        # A sharp look at the sensor's next refresh, where the last one is too long ago to count on.
        waited_until_s = self._clock.now() + 1.5 * period_s
        while trace.refresh.is_out_at(self._clock.now()) and self._clock.now() < waited_until_s:
            await pause(EDGE_S)
        origin_s = opened_s if trace.refresh.latest_s is None else trace.refresh.latest_s
        since_s = self._clock.now() - origin_s
        if self._first_phase is None:
            self._first_phase = since_s / period_s
            return
        phase = self._first_phase + start_phase(round_number)
        await pause((phase * period_s - since_s) % period_s)
