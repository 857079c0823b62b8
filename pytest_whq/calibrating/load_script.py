"""What a load does while all sensors of a device are watched, so that each shows how it works.

It goes on and off: in irregular short turns, so that every refresh
shows something else; in long steps that begin at ever new phases of the refresh, so that some fall
into what a sensor averages; in turns that end right before the counter's ticks, which tell how power falls;
then once for long, over which counter and integrated power are compared.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from pytest_whq.calibrating.step_response import Step
from pytest_whq.calibrating.watched_sensor import Watched
from pytest_whq.joules.spans import Span
from pytest_whq.measuring.clock import Clock
from pytest_whq.measuring.plan import start_phase

_FLICKERS, _FLICKER_S = 60, (0.012, 0.062)
_STEPS, _STEP_S = 8, 1.3
"""So long that a sensor which averages over a second settles."""

_TURNS, _TURN_S, _TURNS_TAKE_S = 16, 0.15, 10.0
"""Turns of at least so long, and as many as there are in so much time; each is followed by a rest."""
_RESTS_S, _REST_REFRESHES = 0.32, 2.1
"""From the first refresh after a turn on: by then power has fallen, and shows to what."""
_BEFORE_TICK_S = (0.003, 0.02)
"""So long before a refresh the turns end: what is drawn after it tells how power falls."""

_TYPICAL_REFRESH_S = 0.1
_OUTSIDE_S = 0.5
_LOOK_EVERY_S = 0.001


class Load(Protocol):
    """What keeps a device busy; ``name`` says with what."""

    name: str

    def switch(self, *, on: bool) -> None:
        """Begin or end; returns once the device has."""


class LoadScript:
    """What the load does while the sensors are watched."""

    def __init__(self, watched: Sequence[Watched], clock: Clock, load: Load | None) -> None:
        self.watched = watched
        self._clock = clock
        self._load = load
        self._is_on = False
        self._ending_s = 0.0

    @property
    def best(self) -> Watched:
        """The sensor by which windows are measured."""
        return self.watched[0]

    def flicker(self) -> None:
        """Learn refresh periods from short turns of irregular length."""
        shortest_s, longest_s = _FLICKER_S
        for number in range(_FLICKERS):
            self._go_on(shortest_s + start_phase(number) * (longest_s - shortest_s), on=number % 2 == 1)
        for one in self.watched:
            one.learn_refresh()

    def step(self) -> list[Step]:
        """Learn averaging and levels from long steps, each at the next phase of a golden-ratio sequence.

        Returns them.
        """
        step_s = (math.ceil(_STEP_S / self._refresh_s) + start_phase(1)) * self._refresh_s
        steps = [self._go_on(step_s, on=number % 2 == 1) for number in range(_STEPS + 1)]
        for one in self.watched:
            one.learn_response(steps)
        return steps

    def turn(self) -> list[Span]:
        """Learn how power falls from turns that end right before a refresh of the counter.

        Returns from when to when the load was on.
        """
        turns: list[Span] = []
        if not self.best.probe.counts:
            return turns
        begun_s = self._clock.now()
        while len(turns) < _TURNS:
            turns.append(self._turn(len(turns)))
            passed_s = self._clock.now() - begun_s
            if passed_s * (1 + 1 / len(turns)) > _TURNS_TAKE_S:
                break
        return turns

    def _turn(self, number: int) -> Span:
        self._switch(on=True)
        start_s = self._clock.now()
        shortest_s, longest_s = _BEFORE_TICK_S
        ahead_s = shortest_s + start_phase(number) * (longest_s - shortest_s) + self._ending_s
        tick_s = self.best.next_refresh_s(start_s + _TURN_S + ahead_s)
        self._look_until(tick_s - ahead_s)
        self._switch(on=False)
        end_s = self._clock.now()
        self._look_until(tick_s + max(_RESTS_S, _REST_REFRESHES * self._refresh_s))
        return Span(start_s, end_s)

    def stay(self, seconds: float) -> Span:
        """Keep the load on for so long, with enough before and after it to tell the levels there."""
        outside_s = max(_OUTSIDE_S, 3 * self._refresh_s)
        self._go_on(outside_s, on=False)
        long = self._go_on(seconds, on=True)
        self._go_on(outside_s, on=False)
        if self._load is None:
            for one in self.watched:
                one.learn_idle()
        return Span(long.time_s, long.end_s)

    @property
    def _refresh_s(self) -> float:
        return max((one.refresh_s or 0.0 for one in self.watched), default=0.0) or _TYPICAL_REFRESH_S

    def _go_on(self, seconds: float, *, on: bool) -> Step:
        self._switch(on=on)
        start_s = self._clock.now()
        self._look_until(start_s + seconds)
        return Step(start_s, self._clock.now(), on)

    def _switch(self, *, on: bool) -> None:
        if self._load is not None and on != self._is_on:
            before_s = self._clock.now()
            self._load.switch(on=on)
            self._is_on = on
            if not on:
                self._ending_s = self._clock.now() - before_s

    def _look_until(self, end_s: float) -> None:
        took_s = 0.0
        while (left_s := end_s - self._clock.now()) > 0:
            # A look that would last longer is left.
            before_s = self._clock.now()
            if took_s < left_s:
                for one in self.watched:
                    one.look(self._clock)
                took_s = self._clock.now() - before_s
            self._clock.sleep(min(_LOOK_EVERY_S, max(0.0, end_s - self._clock.now())))
