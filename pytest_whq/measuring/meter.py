"""One measurement: spans of time, what the devices drew in them, and the queries that ran in them."""

from collections.abc import Iterator, Sequence

from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.measuring.claim import Claim, Hold
from pytest_whq.measuring.clock import Clock, pause
from pytest_whq.measuring.device_conditions import state_reasons
from pytest_whq.measuring.idle_devices import idle_reasons
from pytest_whq.measuring.pace import EDGE_S
from pytest_whq.measuring.plan import half_widths95
from pytest_whq.measuring.queued_work import wait_for_queued_work
from pytest_whq.measuring.result import measurement_of, rounds_of
from pytest_whq.measuring.round_starts import RoundStarts
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.measuring.server_watch import ServerWatch
from pytest_whq.measuring.told import Told, told_of
from pytest_whq.model import DeviceState, Measurement, Reason
from pytest_whq.queries.tally import Tally


class Meter:
    """Measures from `open` to `close` whatever runs between each `begin` and `end`.

    Without a ``sampler`` it only counts and times, and ``why_not`` says why. With a ``claim`` no other
    process measures on the devices meanwhile. ``beside`` are spans around those measured in which the
    devices were busy too: the idle level is that outside of them, and ``tallies_beside`` count their
    queries. ``watch`` looks at the inference engine, if one is to be.
    ``around`` is the meter, open before this one, that counts the same queries, and ``states`` are those
    of the devices at the edges.
    """

    def __init__(
        self,
        clock: Clock,
        sampler: Sampler | None,
        why_not: Reason | None = None,
        claim: Claim | None = None,
    ) -> None:
        self._clock = clock
        self._sampler = sampler
        self._why_not = why_not
        self._unclaimed: Reason | None = None
        self._claim = claim
        self._hold: Hold | None = None
        self._opened_s = 0.0
        self._reading = False
        self._began_s: float | None = None
        self._told = Told()
        self._starts = RoundStarts(clock)
        self.spans: list[Span] = []
        self.beside: tuple[Span, ...] = ()
        self.tallies_beside: Sequence[Tally] = ()
        self.watch: ServerWatch | None = None
        self.tallies: list[Tally] = []
        self.states: list[DeviceState] = []
        self.around: Meter | None = None

    async def claim(self) -> None:
        """Wait until no other process measures on the devices, and keep them until the end.

        Where one does not let go of them in time, nothing is measured.
        """
        if self._claim is None or self._hold is not None:
            return
        self._hold = await self._claim.acquire()
        self._unclaimed = self._hold.reason
        if self._unclaimed is not None and self._unclaimed.code == "device_busy":
            self._sampler, self._why_not, self._unclaimed = None, self._unclaimed, None

    async def open(self) -> None:
        """Start readings and wait until they tell the level before the first span."""
        if self._sampler is None:
            return
        self._sampler.enter()
        self._reading = True
        self._opened_s = self._clock.now()
        try:
            await self._settle(self._opened_s)
            await pause(self._sampler.phase_s)
        except BaseException:
            self.leave()
            raise
        self.states.extend(self._sampler.state())

    def begin(self) -> None:
        """A span begins."""
        wait_for_queued_work()
        self.tallies.append(Tally(self.tally_around))
        if self._sampler is None:
            self._began_s = self._clock.now()
        else:
            self._began_s = self._sampler.slow_down(self._has_streams)

    def _has_streams(self) -> bool:
        """Whether streams have been followed whose prefill and decode can be told apart."""
        return any(tally.phases.edges_s for tally in self.tallies)

    @property
    def began_s(self) -> float:
        """When the span that is open has begun; there must be one."""
        assert self._began_s is not None
        return self._began_s

    @property
    def is_open(self) -> bool:
        """Whether a span has begun that has not ended."""
        return self._began_s is not None

    def end(self) -> None:
        """The span ends, if one is open."""
        if self._began_s is None:
            return
        wait_for_queued_work()
        ended_s = self._clock.now() if self._sampler is None else self._sampler.speed_up(self._began_s)
        self.spans.append(Span(self._began_s, ended_s))
        self._began_s = None
        if self._sampler is not None:
            self.states.extend(self._sampler.state())

    async def close(self) -> None:
        """Wait until readings tell the level after the last span, then end them."""
        try:
            await self.conclude()
        finally:
            self.leave()

    async def conclude(self) -> None:
        """Wait until readings tell the level after the last span; they go on until `leave`."""
        if self._sampler is not None:
            ends_s = [span.end_s for span in (*self.spans, *self.beside)]
            await self._settle(max(ends_s, default=self._clock.now()), fallen=True)
            self._look_back(self._sampler)

    def joined(
        self, spans: Sequence[Span], tallies: Sequence[Tally], states: Sequence[DeviceState]
    ) -> "Meter":
        """A meter that has measured ``spans``: those of this one and of others that were open meanwhile.

        To be asked for before readings end.
        """
        found = Meter(self._clock, self._sampler, self._why_not)
        found.spans, found.tallies, found.states = list(spans), list(tallies), list(states)
        found._opened_s = min(span.start_s for span in spans)
        if self._sampler is not None:
            found._look_back(self._sampler)
        return found

    def break_off(self) -> bool:
        """End at once, the driver not asked again, with the spans that have ended; whether there are any.

        The last of them is given up where readings do not tell yet what it took.
        """
        if self._began_s is not None:
            if self._sampler is not None:
                self._sampler.forget(self._began_s)
            self._began_s = None
            self.tallies.pop()
        if self._sampler is not None and self.spans:
            if not self._sampler.settled_after(self.spans[-1].end_s):
                self.spans.pop()
                self.tallies.pop()
            self._look_back(self._sampler)
        return bool(self.spans)

    def abandon(self) -> None:
        """End at once, with nothing measured and the driver not asked again."""
        if self._began_s is not None:
            if self._sampler is not None:
                self._sampler.forget(self._began_s)
            self.spans.append(Span(self._began_s, self._clock.now()))
            self._began_s = None
        self.leave()

    @property
    def beside_j(self) -> tuple[float | None, ...]:
        """Joules of each span of ``beside``, once closed; empty where there are none, or none is told."""
        return self._told.beside_j

    @property
    def tally(self) -> Tally:
        """The queries of the span that is open, or was last."""
        return self.tallies[-1]

    @property
    def tally_around(self) -> Tally | None:
        """The tally that counts the same queries around this meter's own, None where there is none."""
        around = self.around
        # A load's meter may not have begun.
        while around is not None and not around.tallies:
            around = around.around
        return None if around is None else around.tally

    @property
    def elapsed_s(self) -> float:
        """Seconds that the spans lasted together."""
        return sum(span.duration_s for span in self.spans)

    async def next_start(self) -> None:
        """Wait for the phase of the slowest sensor's refresh at which the next span should begin."""
        trace = None if self._sampler is None else self._sampler.slowest
        if trace is not None:
            await self._starts.wait(trace, len(self.spans), self._opened_s)

    def half_width95(self) -> float | None:
        """Relative half width of Wh/query's 95 % interval so far, None where not yet known.

        The last span is left out: what follows it, and so its end, has not been read yet. Without a
        source it is 0, since no more spans would tell more.
        """
        if self._sampler is None:
            return 0.0
        if len(self.spans) < 2:
            return None
        try:
            energies = list(self._sampler.energies(self.spans, so_far=True).values())
        except UnmeasurableError:
            return None
        return half_widths95(rounds_of(self.spans[:-1], self.tallies, energies)).get("wh_per_query")

    def measurement(self, *, repeated: bool = False, precision: float, idle_ok: bool = False) -> Measurement:
        """What was measured, once closed; ``repeated`` when the spans are rounds of the same call.

        ``precision`` is the ratio above which a figure counts as imprecise. With ``idle_ok`` devices may
        have done nothing.
        """
        estimated, names = False, {}
        if self._sampler is not None:
            estimated = self._sampler.estimated
            names = {device.id: device.name for device in self._sampler.devices}
        return measurement_of(
            self.spans,
            self.tallies,
            self._told.energies,
            self._told.why_not or self._why_not,
            conditions=(
                *filter(None, [self._unclaimed]),
                *(() if idle_ok or estimated else self._idle()),
                *state_reasons(self.states, names),
            ),
            estimated=estimated,
            repeated=repeated,
            precision=precision,
            power=self._told.power,
            phases=self._told.phases,
            notes=self._told.notes,
        )

    def _idle(self) -> Iterator[Reason]:
        rests = [self._told.rests.get(id_) for id_ in self._told.energies]
        return idle_reasons(list(self._told.energies.values()), rests, self.elapsed_s)

    def leave(self) -> None:
        """Let go of the devices: nothing more is read for this meter."""
        if self._sampler is not None and self._reading:
            self._reading = False
            self._sampler.leave()
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    async def _settle(self, since_s: float, *, fallen: bool = False) -> None:
        sampler = self._sampler
        assert sampler is not None
        while not sampler.settled_after(since_s, fallen=fallen):
            if (
                self._clock.now() - since_s > sampler.settles_s
                or sampler.error_since(self._opened_s) is not None
            ):
                return
            await pause(EDGE_S)

    def _look_back(self, sampler: Sampler) -> None:
        self._told = told_of(
            self.spans, self.beside, self.tallies, sampler, self._opened_s, self._clock.now()
        )
