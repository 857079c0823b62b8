"""Loads against a server in virtual time: exact energies, parts, rates and distributions."""

import asyncio
from typing import Any

import pytest
from virtual_loop import Server

from pytest_whq.calling.load import load
from pytest_whq.calling.load_plan import Jobs, LoadPlan
from pytest_whq.calling.steady_state import LoadRun
from pytest_whq.errors import WhqError
from pytest_whq.measuring.clock import wait_async
from pytest_whq.model import METRICS, TokenCount
from pytest_whq.model.serving import Distribution, Load, Stretch


def the_load(server: Server) -> Load:
    found = server.ledger.measurement.load
    assert found is not None
    return found


def test_queries_of_one_length_give_the_steady_state_exactly() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 16, LoadPlan(4)))
    measured = server.ledger.measurement
    # Three turns of four queries at 300 W; the fourth turn is the tail.
    assert (measured.queries, measured.failed_queries) == (12, 0)
    assert measured.duration_s == pytest.approx(3.0)
    assert measured.energy_j == pytest.approx(900.0, abs=1.0)
    assert measured.net_energy_j == pytest.approx(600.0, abs=1.0)
    assert measured.tokens == TokenCount(120, 240)
    assert server.most_in_flight == 4


def test_ramp_up_and_tail_are_told_apart() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 16, LoadPlan(4)))
    found = the_load(server)
    assert found.ramp_up == Stretch(0.0, 0, 0, None)
    assert found.tail is not None
    assert (found.tail.queries, found.tail.failed_queries) == (4, 0)
    assert found.tail.duration_s == pytest.approx(1.0)
    assert found.tail.energy_j == pytest.approx(300.0, abs=1.0)
    assert found.edge_queries == pytest.approx(0.0)


def test_rates_are_those_of_the_steady_state() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 16, LoadPlan(4)))
    found = the_load(server)
    assert found.queries_per_s == pytest.approx(4.0)
    assert found.input_tokens_per_s == pytest.approx(40.0)
    assert found.output_tokens_per_s == pytest.approx(80.0)


def test_replies_come_in_the_order_of_the_inputs() -> None:
    server = Server()

    async def echo(seconds: float) -> float:
        await server.chat(seconds)
        return seconds

    assert server.run(load(server.ledger, echo, [3.0, 1.0, 2.0, 0.5], LoadPlan(3))) == [3.0, 1.0, 2.0, 0.5]


def test_failures_are_counted_by_kind_and_stand_in_the_replies() -> None:
    server = Server()

    async def refuse(number: int) -> dict[str, Any]:
        reply = await server.chat(1.0)
        if number % 3 == 2:
            raise ConnectionError("refused")
        return reply

    replies = server.run(load(server.ledger, refuse, range(9), LoadPlan(1)))
    measured = server.ledger.measurement
    assert [type(reply).__name__ for reply in replies] == ["dict", "dict", "ConnectionError"] * 3
    assert (measured.queries, measured.failed_queries) == (6, 3)
    assert measured.failures == {"ConnectionError": 3}
    assert measured.energy_j == pytest.approx(9 * 150.0)
    assert measured.wh_per_query == pytest.approx(9 * 150.0 / 3600 / 6)
    assert measured.tokens == TokenCount(60, 120)
    assert not measured.valid


def test_concurrency_1_has_neither_ramp_up_nor_tail() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 5, LoadPlan(1)))
    measured = server.ledger.measurement
    assert measured.queries == 5
    assert measured.duration_s == pytest.approx(5.0)
    assert (the_load(server).ramp_up, the_load(server).tail) == (None, None)
    assert measured.notes == ()


def test_too_few_queries_for_a_steady_state_are_measured_whole_and_noted() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 4, LoadPlan(4)))
    measured = server.ledger.measurement
    assert measured.queries == 4
    assert measured.duration_s == pytest.approx(1.0)
    assert measured.energy_j == pytest.approx(300.0, abs=1.0)
    [note] = measured.notes
    assert note == (
        "too few queries for a steady state at concurrency 4: the figure is of the whole load, "
        "from the first query to the last"
    )


def test_work_at_the_edges_is_noted() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] + [2.0] * 20, LoadPlan(2)))
    found = the_load(server)
    # The first query was shorter, so when the last one begins the other lane is half way through its own.
    assert found.edge_queries == pytest.approx(0.5)
    [note] = server.ledger.measurement.notes
    assert note == (
        "the window holds the work of 0.5 queries more than it counts (2.6 %), because queries were "
        "under way at its edges: give more inputs for a closer figure"
    )


@pytest.mark.parametrize("inputs", [4, 8, 21])
def test_the_interval_holds_the_work_of_the_queries_that_are_counted(inputs: int) -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] + [2.0] * (inputs - 1), LoadPlan(2)))
    measured = server.ledger.measurement
    assert measured.queries is not None
    # Two share 200 W: each second of a query is 100 J, and the first of those counted took one second.
    true_wh = (1.0 + 2.0 * (measured.queries - 1)) * 100.0 / measured.queries / 3600
    lowest, highest = measured.interval95["wh_per_query"]
    assert lowest < true_wh < highest
    assert measured.wh_per_query is not None
    assert measured.wh_per_query > 1.02 * true_wh
    assert highest < 1.5 * measured.wh_per_query
    assert measured.has("imprecise")
    assert measured.interval95.keys() == {
        name for name, metric in METRICS.items() if metric.per == "query" or metric.counts_tokens
    }


def test_a_load_whose_edges_hold_no_other_work_is_as_sure_as_its_energy() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 16, LoadPlan(4)))
    assert not server.ledger.measurement.has("imprecise")


def test_seconds_are_those_of_the_steady_state_and_inputs_come_again() -> None:
    server = Server()
    replies = server.run(load(server.ledger, server.chat, [1.0, 1.0], LoadPlan(2, seconds=5.0)))
    measured = server.ledger.measurement
    assert measured.duration_s == pytest.approx(5.0)
    assert len(replies) == server.calls == 10


def test_a_load_whose_last_query_ends_before_its_window_has_no_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    read = server.ledger.reader.read

    def read_slowly(*args: Any, **kwargs: Any) -> Any:
        server.clock.spend(0.3)
        return read(*args, **kwargs)

    monkeypatch.setattr(server.ledger.reader, "read", read_slowly)
    server.run(load(server.ledger, server.chat, [1.0, 1.0], LoadPlan(2, seconds=2.1)))
    # That the time is up is found only once the reply has been read.
    assert the_load(server).tail == Stretch(0.0, 0, 0, None)


def test_queries_say_how_often_inputs_come_again() -> None:
    server = Server()
    assert len(server.run(load(server.ledger, server.chat, [1.0, 1.0], LoadPlan(2, queries=7)))) == 7


def test_an_iterator_of_inputs_is_read_one_ahead() -> None:
    server = Server()
    read = []

    def inputs() -> Any:
        for number in range(6):
            read.append((number, server.calls))
            yield 1.0

    server.run(load(server.ledger, server.chat, inputs(), LoadPlan(1)))
    assert read == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]


def test_with_a_rate_queries_arrive_at_random_but_repeatably() -> None:
    durations = []
    for seed in (0, 0, 1):
        server = Server()
        plan = LoadPlan(64, rate=10.0, seed=seed)
        server.run(load(server.ledger, server.chat, [0.2] * 400, plan))
        durations.append(server.ledger.measurement.duration_s)
        assert the_load(server).rate_per_s == 10.0
        assert the_load(server).queries_per_s == pytest.approx(10.0, rel=0.15)
    assert durations[0] == durations[1] != durations[2]


def test_with_a_rate_time_counts_from_the_arrival_on() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 50, LoadPlan(1, rate=100.0)))
    found = server.ledger.measurement.distributions
    assert found is not None
    assert found.latency_s is not None
    # Fifty queries arrive in half a second, and are answered one after another.
    assert found.latency_s.max == pytest.approx(49.5, abs=0.2)
    assert server.most_in_flight == 1


def test_streams_are_read_to_their_end_and_timed() -> None:
    server = Server()
    replies = server.run(load(server.ledger, server.stream, [0.1] * 6, LoadPlan(2)))
    found = server.ledger.measurement.distributions
    assert found is not None
    assert [[chunk["n"] for chunk in reply] for reply in replies] == [[0, 1, 2, 3, 4]] * 6
    for times in (found.ttft_s, found.tpot_s, found.between_chunks_s):
        assert times is not None
        assert [times.mean, times.p50, times.p90, times.p99, times.max] == pytest.approx([0.1] * 5)
    assert found.latency_s is not None
    assert found.latency_s.mean == pytest.approx(0.5)
    assert found.output_tokens == Distribution(4, 5.0, 5.0, 5.0, 5.0, 5.0)


def test_warm_up_calls_are_made_with_the_first_input_and_not_counted() -> None:
    server = Server(warmup=2)
    replies = server.run(load(server.ledger, server.chat, [1.0] * 4, LoadPlan(1)))
    assert (len(replies), server.calls, server.ledger.measurement.queries) == (4, 6, 4)


def test_an_error_that_is_no_failure_of_a_query_ends_the_load_and_keeps_what_ran() -> None:
    server = Server()

    class Outcome(BaseException):
        pass

    async def give_up(number: int) -> Any:
        await server.chat(1.0)
        if number == 6:
            raise Outcome
        return None

    with pytest.raises(Outcome):
        server.run(load(server.ledger, give_up, range(100), LoadPlan(2)))
    assert server.ledger.measurement.queries == 7
    assert server.most_in_flight == 2
    assert server.ledger.measurement.notes[-1] == (
        "broken off after 7 queries, with 2 in flight: it would have gone on"
    )


def test_a_cancelled_load_measures_what_ran() -> None:
    server = Server()

    async def cancelled() -> None:
        async with asyncio.timeout(10.5):
            await load(server.ledger, server.chat, [1.0] * 1000, LoadPlan(4))

    with pytest.raises(TimeoutError):
        server.run(cancelled())
    measured = server.ledger.measurement
    assert (measured.queries, measured.failed_queries) == (40, 0)
    assert measured.duration_s == pytest.approx(10.5, abs=0.1)
    assert the_load(server).tail == Stretch(0.0, 0, 4, None)
    assert measured.notes[-1] == "broken off after 40 queries, with 4 in flight: it would have gone on"


def test_a_load_that_is_cancelled_once_all_has_ended_is_whole() -> None:
    server = Server()

    async def end() -> None:
        run = LoadRun(server.ledger, LoadPlan(1), Jobs([1.0], LoadPlan(1)), server.chat)
        await wait_async(server.clock, run.open())
        job = run.take()
        assert job is not None
        began_s = run.begin(job, first=True)
        run.succeed(job, await server.chat(1.0), began_s)
        run.break_off(KeyboardInterrupt())
        await wait_async(server.clock, run.close())

    server.run(end())
    assert server.ledger.measurement.notes == ()


def test_queries_count_in_the_window_around_the_load_as_well() -> None:
    server = Server()

    async def test() -> None:
        meter = server.ledger.instruments.meter()
        await wait_async(server.clock, server.ledger.open(meter))
        meter.begin()
        await load(server.ledger, server.chat, [1.0] * 16, LoadPlan(4))
        await wait_async(server.clock, server.ledger.close(meter))

    server.run(test())
    assert server.ledger.measurement.queries == 16


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"concurrency": 0}, "whq.load: concurrency must be a whole number of at least 1, not 0."),
        ({"concurrency": True}, "whq.load: concurrency must be a whole number of at least 1, not True."),
        ({"queries": 0}, "whq.load: queries must be a whole number of at least 1, not 0."),
        ({"rate": 0}, "whq.load: rate must be a number of queries per second above 0, not 0."),
        ({"seconds": "5"}, "whq.load: seconds must be a number of seconds above 0, not '5'."),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WhqError) as refused:
        LoadPlan(**{"concurrency": 1, **wrong})
    assert str(refused.value) == sentence


def test_a_function_that_returns_coroutines_is_found_out_by_its_warm_up() -> None:
    server = Server(warmup=1)

    async def test() -> Any:
        return await load(server.ledger, lambda seconds: server.chat(seconds), [1.0] * 4, LoadPlan(1))

    assert len(server.run(test())) == 4


def test_without_a_warm_up_it_is_refused() -> None:
    server = Server()
    with pytest.raises(WhqError, match=r"^whq.load: the call returns something to await, though"):
        load(server.ledger, lambda seconds: server.chat(seconds), [1.0] * 4, LoadPlan(2))


def test_no_inputs_are_refused() -> None:
    server = Server()
    with pytest.raises(WhqError, match=r"^whq.load: there are no inputs to send\.$"):
        load(server.ledger, server.chat, [], LoadPlan(1))


@pytest.mark.parametrize(
    ("later", "queries", "seconds"),
    [pytest.param(3, 7, 2.02, id="whole"), pytest.param(4, 4, 1.03, id="steady")],
)
def test_as_many_queries_as_are_in_flight_are_a_steady_state_and_one_less_is_none(
    later: int, queries: int, seconds: float
) -> None:
    server = Server()
    # The first four end one after another, and with each of them one of the later ones begins.
    inputs = [1.0, 1.01, 1.02, 1.03] + [1.0] * later
    server.run(load(server.ledger, server.chat, inputs, LoadPlan(4)))
    measured = server.ledger.measurement
    assert measured.queries == queries
    assert measured.duration_s == pytest.approx(seconds)
    assert (the_load(server).tail is None) is (queries == len(inputs))


def test_with_a_rate_too_one_query_after_another_has_no_ramp_up() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 5, LoadPlan(1, rate=100.0)))
    measured = server.ledger.measurement
    assert measured.queries == 5
    assert measured.duration_s == pytest.approx(5.0, abs=0.1)
    assert (the_load(server).ramp_up, the_load(server).tail) == (None, None)


def test_with_a_rate_the_ramp_up_lasts_until_the_first_query_has_ended() -> None:
    server = Server()
    server.run(load(server.ledger, server.chat, [1.0] * 12, LoadPlan(2, rate=100.0)))
    ramp_up = the_load(server).ramp_up
    # Both lanes are at work long before that.
    assert ramp_up is not None
    assert (ramp_up.queries, ramp_up.failed_queries) == (1, 0)
    assert ramp_up.duration_s == pytest.approx(1.0, abs=0.1)


def test_inputs_that_are_sent_again_are_noted() -> None:
    async def chat(prompt: str) -> Any:
        return await server.chat(1.0)

    server = Server()
    server.run(load(server.ledger, chat, ["Say hi."] * 5, LoadPlan(1)))
    [note] = server.ledger.measurement.notes
    assert note.startswith("4 of 5 queries asked what was asked before, and the replies do not tell cached")
    server = Server()
    server.run(load(server.ledger, chat, list("abcde"), LoadPlan(1)))
    assert server.ledger.measurement.notes == ()
