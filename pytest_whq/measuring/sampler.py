"""Reads a source again and again while windows are open."""

import threading
from collections.abc import Callable, Mapping, Sequence

from pytest_whq.errors import SourceError
from pytest_whq.joules.curve import power_curve
from pytest_whq.joules.phases import phases_by_first_token, phases_by_role
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError
from pytest_whq.joules.trace import Board, Trace
from pytest_whq.measuring.asked_source import SILENCE_S, AskedSource, hanging_error
from pytest_whq.measuring.clock import Clock, Repeating
from pytest_whq.measuring.idle_devices import Rest, rest_around
from pytest_whq.measuring.pace import EDGE_S, INSIDE_S, Pace
from pytest_whq.measuring.plan import start_phase
from pytest_whq.model import CalibratedBoard, Device, DeviceState, PowerCurve, Reading
from pytest_whq.model.serving import Phases
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.bounded import BoundedCalls
from pytest_whq.sources.facts import facts_of

_PHASE_S = 0.1
"""Windows open over so much of a refresh at most: waiting for a second would cost more than it tells."""


class Sampler:
    """Keeps a trace of each device, fast around the edges of windows and slow inside them.

    Windows may overlap: it runs from the first that enters until the last that leaves, and keeps
    nothing in between. The source's last error is kept for the windows that it spoils. ``known`` is what
    calibrations have shown of its boards.
    """

    def __init__(
        self,
        source: PowerSource,
        clock: Clock,
        calls: BoundedCalls | None = None,
        known: Sequence[CalibratedBoard] = (),
    ) -> None:
        self._asked = AskedSource(source, clock, BoundedCalls("in use") if calls is None else calls)
        self._clock = clock
        facts = facts_of(source)
        self.estimated = facts.estimated
        self.settles_s = facts.settles_s
        self._averaging_s = facts.power_averaging_s
        self._entering = threading.Lock()
        self._repeating: Repeating | None = None
        self._users = 0
        self._inside: list[tuple[float, Callable[[], bool]]] = []
        self._pace = Pace()
        self.devices: tuple[Device, ...] = source.devices()
        of_id = {board.id: board for board in known}
        self._boards = {
            d.id: Board(falls_at_once=self.estimated, known=of_id.get(d.id)) for d in self.devices
        }
        self._openings = -1
        self.traces: dict[str, Trace] = {}

    def enter(self) -> None:
        """A window wants readings: start, or go on."""
        with self._entering:
            self._users += 1
            if self._repeating is None:
                self._asked.forget_errors()
                self.traces = {
                    d.id: Trace(self._averaging_s.get(d.id, 0.0), self._boards[d.id], d.power_limit_w)
                    for d in self.devices
                }
                self._openings += 1
                self._repeating = self._clock.repeat(self._turn)
            self._repeating.wake()

    @property
    def slowest(self) -> Trace | None:
        """The trace whose sensor refreshes most seldom."""
        return max(self.traces.values(), key=lambda trace: trace.refresh_s or 0.0, default=None)

    @property
    def phase_s(self) -> float:
        """How far into a sensor's refresh the next window should open: never always equally far.

        Right after a refresh, as waiting for it ends, short calls would end before the next look.
        """
        refresh_s = 0.0 if self.slowest is None else self.slowest.refresh_s or 0.0
        # Nor so near to one that the step it lies in does not show what a counter sees.
        return (0.08 + 0.84 * start_phase(self._openings)) * min(_PHASE_S, refresh_s)

    def leave(self) -> None:
        """The window wants no more readings; the last one to leave stops them."""
        with self._entering:
            self._users -= 1
            if self._users == 0 and self._repeating is not None:
                self._repeating.stop()
                self._repeating = None

    def slow_down(self, has_streams: Callable[[], bool] = lambda: False) -> float:
        """A span begins: read once more, then sparingly; returns the time just after the reading.

        While it ``has_streams``, readings inside are to tell their parts.
        """
        self._read_at_edge()
        start_s = self._clock.now()
        self._inside.append((start_s, has_streams))
        return start_s

    def speed_up(self, start_s: float) -> float:
        """The span that began at ``start_s`` ends: returns the time, then reads fast again."""
        end_s = self._clock.now()
        self.forget(start_s)
        # Read at the edge itself, so that a tick before it cannot be taken for one after it.
        self._read_at_edge()
        # Several threads may leave meanwhile.
        if (repeating := self._repeating) is not None:
            repeating.wake()
        return end_s

    def forget(self, start_s: float) -> None:
        """The span that began at ``start_s`` is of no interest any more."""
        self._inside.remove(next(one for one in self._inside if one[0] == start_s))

    def _read_at_edge(self) -> None:
        # By the thread that reads anyhow, since one that hangs in the driver hears no Ctrl-C.
        repeating, longest_s = self._repeating, 0.0 if self._asked.hangs else SILENCE_S
        if repeating is not None and repeating.alive and not repeating.step_now(longest_s):
            self._asked.note_hanging()

    def settled_after(self, time_s: float, *, fallen: bool = False) -> bool:
        """Whether readings tell all that was drawn before ``time_s``; see `Trace.settled_after`."""
        return all(trace.settled_after(time_s, fallen=fallen) for trace in self.traces.values())

    def error_since(self, time_s: float) -> SourceError | None:
        """The source's last error at ``time_s`` or later; a thread that reads no more is one, too."""
        if (error := self._asked.error_since(time_s)) is not None:
            return error
        if self._repeating is not None and not self._repeating.alive:
            return SourceError("the thread that reads the power source has died")
        silent_s = self._clock.now() - max(self._asked.last_s, time_s)
        if silent_s > SILENCE_S and not self._inside:
            return hanging_error(silent_s)
        return None

    def energies(
        self, spans: Sequence[Span], beside: Sequence[Span] = (), *, so_far: bool = False
    ) -> dict[str, SpanEnergies]:
        """Joules of each of ``spans`` by device id; `UnmeasurableError` where a device does not tell.

        ``beside`` are spans of the same load right before and after those.
        ``so_far``: of all but the last, which has only just ended.
        """
        with self._asked.alone() as reached:
            if not reached:
                raise UnmeasurableError("source_error", str(hanging_error(SILENCE_S)))
            return {device.id: self._energies_of(device, spans, beside, so_far) for device in self.devices}

    def phases(
        self, spans: Sequence[Span], energies: Mapping[str, SpanEnergies], edges_s: Sequence[float] | None
    ) -> Phases | str | None:
        """Prefill and decode in ``spans``; ``edges_s`` as in `phases_by_first_token`, None where unknown."""
        by_role = phases_by_role(self.devices, energies)
        if by_role is not None or not edges_s:
            return by_role
        with self._asked.alone() as reached:
            return phases_by_first_token(self.traces, energies, spans, edges_s) if reached else None

    def power_curve(self, spans: Sequence[Span], start_s: float, end_s: float) -> PowerCurve | None:
        """The power from ``start_s`` to ``end_s``, ``spans`` marked; None where none was read."""
        # Not under the lock, under which nothing would be read meanwhile: readings only add to a trace.
        return power_curve(self.traces.values(), spans, start_s, end_s)

    def rests(self, spans: Sequence[Span], start_s: float, end_s: float) -> dict[str, Rest | None]:
        """The level around ``spans`` by device id, of what was seen from ``start_s`` to ``end_s``."""
        with self._asked.alone() as reached:
            traces = self.traces if reached else {}
            return {id_: rest_around(trace.observed(start_s, end_s), spans) for id_, trace in traces.items()}

    @property
    def looks_every_s(self) -> list[float]:
        """How often each sensor looks that sees only part of the time."""
        return [look_s for trace in self.traces.values() if (look_s := trace.looks_every_s) is not None]

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """What the source says of its joules since then."""
        return self._asked.notes_since(start_s)

    def _energies_of(
        self, device: Device, spans: Sequence[Span], beside: Sequence[Span], so_far: bool
    ) -> SpanEnergies:
        trace = self.traces[device.id]
        try:
            return trace.energies_so_far(spans) if so_far else trace.energies(spans, beside)
        except UnmeasurableError as error:
            code, sentence = error.reason.code, error.reason.sentence
            raise UnmeasurableError(code, f"{device.name} ({device.id}): {sentence}") from error

    def state(self) -> tuple[DeviceState, ...]:
        """What the devices say of themselves now, as far as the source tells."""
        return self._asked.state()

    def _turn(self) -> float:
        """What the thread does again and again: read, but not right after a window has read by itself."""
        is_inside = len(self._inside) >= self._users > 0
        if is_inside and self._clock.now() - self._asked.last_s < 2 * EDGE_S:
            return self._pause_s()
        return self.tick()

    def tick(self) -> float:
        """Read once; returns the seconds to wait before the next reading."""
        with self._asked.alone() as reached:
            # What hung and answers only now, to a thread that was left behind, is not of the traces since.
            traces = self.traces
            if reached and self._asked.read(lambda readings, took_s: self._add(readings, took_s, traces)):
                return self._pause_s()
        return INSIDE_S

    def _add(self, readings: Sequence[Reading], took_s: float, traces: Mapping[str, Trace]) -> None:
        # Wherever in the call a source takes the time, the sensor may have been read at any moment of it.
        # One that did not look, since that was just now, tells nothing of what looking takes.
        blur_s = 2 * took_s if readings and self._pace.note(took_s) else 0.0
        for reading in readings:
            if (trace := traces.get(reading.device_id)) is not None:
                trace.add(reading, blur_s)

    def _pause_s(self) -> float:
        # Also while one window is at an edge and others are in their middle.
        inside = tuple(self._inside)
        if len(inside) < self._users or not inside:
            return self._pace.at_edge_s
        open_s = self._asked.last_s - min(start_s for start_s, _ in inside)
        has_streams = any(has_streams() for _, has_streams in inside)
        return self._pace.inside_s(self.traces.values(), open_s, has_streams=has_streams)
