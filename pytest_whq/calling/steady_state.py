"""A load under way: which of its queries belong to the steady state, and what is known of each."""

import threading
from collections.abc import Callable
from typing import Any

from pytest_whq.calling.load_plan import Job, Jobs, LoadPlan
from pytest_whq.calling.progress import load_said
from pytest_whq.joules.spans import Span
from pytest_whq.measuring.ledger import Ledger
from pytest_whq.measuring.meter import Meter
from pytest_whq.model.serving import Load, Stretch
from pytest_whq.queries.drained_stream import reply_of
from pytest_whq.queries.inputs import fingerprint
from pytest_whq.queries.query import Timing
from pytest_whq.queries.request import NOTHING_ASKED, asked_by
from pytest_whq.queries.tally import Tally
from pytest_whq.units import number_of

_RAMP_UP, _STEADY, _TAIL = range(3)


class LoadRun:
    """What the lanes of a load share: `take` a job, `begin` it, then `succeed` or `fail`.

    The window opens when the last lane begins its first query, or with a rate when the first query
    has ended, and closes when the last query begins. A query belongs to the part of the load in which
    it ends. ``replies`` stand in the order of the inputs, the error in place of a reply that failed.
    """

    def __init__(self, ledger: Ledger, plan: LoadPlan, jobs: Jobs, call: Callable[[Any], Any]) -> None:
        self.ledger = ledger
        self.plan = plan
        self.jobs = jobs
        # Only where it tells something: arguments that are looked at for every query cost time.
        self._call = None if asked_by(call, (jobs.first,), {}) == NOTHING_ASKED else call
        self.meter: Meter = ledger.meter()
        self.clock = ledger.clock
        self._reader = ledger.reader
        self.replies: list[Any] = []
        self.error: BaseException | None = None
        self._stopped = self._over = False
        # Reentrant: a stream that is lost while the lock is held is counted by the garbage collector.
        self._lock = threading.RLock()
        self._part = _RAMP_UP
        self._lanes = 0
        self._started_s = self._last_s = self._deadline_s = 0.0
        self._tallies = [Tally(), Tally(), Tally()]
        self._tally = self._tallies[_RAMP_UP]
        self._in_flight: dict[int, float] = {}
        self._at_start: dict[int, float] = {}
        self._at_end: dict[int, float] = {}
        self._edge_queries = self._steady_s = self._tail_s = 0.0

    async def open(self) -> None:
        """Get ready to measure; what follows is the load."""
        await self.ledger.open(self.meter)
        for tally in self._tallies:
            tally.around = self.meter.tally_around
        self._started_s = self._last_s = self.clock.now()
        self._deadline_s = self._started_s + (self.plan.seconds or 0.0)

    def take(self) -> Job | None:
        """The next job; None where there is no more to do."""
        with self._lock:
            if self._stopped or self.jobs.exhausted:
                self._end_steady()
                return None
            if self.plan.seconds is not None and self.clock.now() >= self._deadline_s:
                self._stopped = True
                self._end_steady()
                return None
            job = self.jobs.take()
            self.replies.append(None)
            return job

    def wait_s(self, job: Job) -> float:
        """Seconds until ``job`` arrives."""
        return self._started_s + job.due_s - self.clock.now()

    def begin(self, job: Job, *, first: bool) -> float:
        """``job`` begins, the ``first`` of its lane or not: returns from when on its time counts."""
        with self._lock:
            now_s = self.clock.now()
            self._in_flight[job.number] = now_s
            if first:
                self._lanes += 1
                if self._lanes == self.plan.concurrency and (self.plan.rate is None or self._single):
                    self._begin_steady()
            if job.last and not self._single:
                self._end_steady()
            # One that waited for a free lane has been waiting since it arrived.
            return self._started_s + job.due_s if job.due_s else now_s

    def succeed(self, job: Job, answer: Any, started_s: float) -> None:
        """``job`` has ended with ``answer``, a reply or a drained stream."""
        now_s = self.clock.now()
        asked = NOTHING_ASKED if self._call is None else asked_by(self._call, (job.item,), {})
        answered = self._reader.read(answer, timing=Timing(now_s - started_s), asked=asked)
        prompt = fingerprint((job.item,), {})
        with self._lock:
            if self._over:
                return
            self.replies[job.number] = reply_of(answer)
            self._ended(job, now_s, len(answered.queries))
            self._tally.count(answered)
            self._tally.ask(prompt)
            if self.plan.rate is not None:
                self._begin_steady()

    def fail(self, job: Job, error: BaseException) -> None:
        """``job`` has ended with ``error``."""
        with self._lock:
            if self._over:
                return
            self.replies[job.number] = error
            self._ended(job, self.clock.now(), 0)
            self._tally.fail(type(error).__name__)
            if self.plan.rate is not None:
                self._begin_steady()

    def tell(self) -> None:
        """Show how far the load is."""
        self.ledger.instruments.progress(self._said, often=True)

    def _said(self) -> str:
        return load_said(self.plan, self._queries_ended, self.clock.now() - self._started_s)

    @property
    def _queries_ended(self) -> int:
        return sum(tally.queries + tally.failed_queries for tally in self._tallies)

    def _broken_off_after(self) -> str | None:
        """How far the load was when something ended it; None where there was nothing left to do."""
        under_way = len(self._in_flight)
        if self.error is None or (self.jobs.exhausted and not under_way):
            return None
        after = number_of(self._queries_ended, "query", "queries")
        return f"{after}, with {under_way:,} in flight" if under_way else after

    def break_off(self, error: BaseException) -> None:
        """Begin no more jobs, since ``error`` ends the load; the first one is kept."""
        with self._lock:
            self._stopped = True
            self.error = self.error or error
            self._end_steady()

    @property
    def stopped(self) -> bool:
        """Whether no more jobs begin."""
        return self._stopped

    async def close(self) -> None:
        """The load is over: measure it. Queries that are still in flight are left behind, failed."""
        with self._lock:
            self._end_steady()
            self._over = True
            broken_off_after = self._broken_off_after()
            for number, began_s in self._in_flight.items():
                self._last_s = max(self._last_s, began_s, self.clock.now())
                self.replies[number] = self.error
                self._tallies[_TAIL].fail(type(self.error).__name__)
        steady = self._arrange()
        await self.ledger.close(
            self.meter, load=lambda: self._figures(steady), broken_off_after=broken_off_after
        )

    def _begin_steady(self) -> None:
        if self._part != _RAMP_UP or self._stopped or (self.jobs.exhausted and not self._single):
            return
        self.meter.begin()
        self._steady_s = self.clock.now()
        self._part = _STEADY
        self._tally = self._tallies[_STEADY] = self.meter.tally
        self._at_start = dict(self._in_flight)
        if self.plan.seconds is not None:
            self._deadline_s = self.clock.now() + self.plan.seconds

    def _end_steady(self) -> None:
        if self._part == _STEADY:
            self.meter.end()
            self._tail_s = self.meter.spans[-1].end_s
            self._at_end = dict(self._in_flight)
        self._part = _TAIL
        self._tally = self._tallies[_TAIL]

    @property
    def _single(self) -> bool:
        # One query after another has neither ramp-up nor tail.
        return self.plan.concurrency == 1

    def _ended(self, job: Job, now_s: float, queries: int) -> None:
        """``job`` is no longer in flight: note which share of its work lay on which side of an edge."""
        self._last_s = now_s
        began_s = self._in_flight.pop(job.number)
        if self._at_start and self._at_start.pop(job.number, None) is not None and now_s > began_s:
            self._edge_queries -= queries * (self._steady_s - began_s) / (now_s - began_s)
        if self._at_end and self._at_end.pop(job.number, None) is not None and now_s > began_s:
            self._edge_queries += queries * (self._tail_s - began_s) / (now_s - began_s)

    def _arrange(self) -> bool:
        """Set the meter's spans and tallies: the steady state where it stands for something, else all.

        Returns whether there are parts of the load outside of them.
        """
        whole = Span(self._started_s, max(self._last_s, self._started_s))
        ramp_up, steady, tail = self._tallies
        ended = steady.queries + steady.failed_queries
        if self._single and self.meter.spans and ended:
            return False
        if self.meter.spans and ended >= self.plan.concurrency:
            window = self.meter.spans[0]
            self.meter.tallies_beside = (ramp_up, tail)
            # The last query may have ended before it was found that no other follows, which ends the window.
            tail_s = max(window.end_s, whole.end_s)
            self.meter.beside = (Span(whole.start_s, window.start_s), Span(window.end_s, tail_s))
            return True
        every = Tally()
        for tally in (ramp_up, steady, tail):
            every.include(tally)
        self.meter.spans[:] = [whole]
        self.meter.tallies[:] = [every]
        return False

    def _figures(self, steady: bool) -> Load:
        tally, duration_s = self.meter.tallies[0], self.meter.spans[0].duration_s
        rates = [
            count / duration_s if count is not None and duration_s else None
            for count in (tally.queries, tally.tokens.input_tokens, tally.tokens.output_tokens)
        ]
        stretches: list[Stretch | None] = [None, None]
        if steady:
            parts = zip(
                self.meter.beside, self._tallies[::2], self.meter.beside_j or (None, None), strict=True
            )
            stretches = [
                Stretch(span.duration_s, part.queries, part.failed_queries, energy_j)
                for span, part, energy_j in parts
            ]
        return Load(
            concurrency=self.plan.concurrency,
            rate_per_s=self.plan.rate,
            queries_per_s=rates[0] or 0.0,
            input_tokens_per_s=rates[1],
            output_tokens_per_s=rates[2],
            edge_queries=self._edge_queries if steady else 0.0,
            ramp_up=stretches[0],
            tail=stretches[1],
        )
