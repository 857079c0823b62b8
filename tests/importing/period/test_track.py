"""What a series says of windows, sample by sample."""

from math import inf

import pytest

from pytest_whq.importing.period.engines import Count, EngineTracks
from pytest_whq.importing.period.lengths import distribution_of, shares
from pytest_whq.importing.period.track import Event, Track
from pytest_whq.joules.spans import Span
from pytest_whq.scraping.prometheus import Series
from pytest_whq.servers.engines import ENGINES

TWO = (Span(0.0, 100.0), Span(100.0, 200.0))


def steady(start_s: int, end_s: int, rate: float = 3.0, began: float = 0.0) -> list[tuple[float, float]]:
    """Samples each 10 s of what grows by ``rate`` a second."""
    return [(float(s), began + rate * (s - start_s)) for s in range(start_s, end_s + 1, 10)]


def test_what_a_counter_counts_is_shared_out_to_the_windows() -> None:
    track = Track(TWO)
    track.add(steady(-20, 220))
    assert list(track.grown) == pytest.approx([300.0, 300.0])
    assert list(track.doubt) == pytest.approx([0.0, 0.0])


def test_a_step_over_an_edge_is_shared_by_time_and_in_doubt_by_its_smaller_part() -> None:
    track = Track((Span(0.0, 97.0), Span(97.0, 200.0)))
    track.add(steady(-20, 220))
    assert list(track.grown) == pytest.approx([291.0, 309.0])
    assert list(track.doubt) == pytest.approx([9.0, 9.0])


def test_in_pieces_it_is_the_same() -> None:
    whole, pieces = Track(TWO), Track(TWO)
    whole.add(steady(-20, 220))
    for piece in (steady(-20, 60), steady(-20, 130), steady(-20, 220)):
        pieces.add(piece)
    assert list(pieces.grown) == pytest.approx(list(whole.grown))


def test_a_gauge_at_0_has_not_been_read_and_a_counter_at_0_has() -> None:
    gauge = Track(TWO, counts=False)
    gauge.add([(float(s), 0.0 if 20 < s < 80 else 100.0) for s in range(-20, 221, 10)])
    assert list(gauge.grown) == pytest.approx([10_000.0, 10_000.0])
    assert gauge.doubt[0] == pytest.approx(6_000.0)
    assert gauge.events == [Event("gap", 20.0, 80.0)]
    counter = Track(TWO)
    counter.add([(float(s), max(0.0, 3.0 * s)) for s in range(-20, 221, 10)])
    assert list(counter.grown) == pytest.approx([300.0, 300.0])


def test_what_a_restart_hides_is_in_doubt_at_the_rate_before_it() -> None:
    track = Track(TWO)
    track.add(steady(-20, 50, began=1000.0))
    track.add(steady(60, 220, began=6.0))
    assert track.grown[0] == pytest.approx(150 + 6 + 120)
    assert track.doubt[0] == pytest.approx(30.0)
    assert track.events == [Event("restart", 50.0, 60.0, 3.0)]


def test_a_counter_counts_on_in_a_gap_and_a_gauge_is_in_doubt_there() -> None:
    samples = [*steady(-20, 20), *steady(80, 220, began=300.0)]
    counter = Track(TWO)
    counter.add(samples)
    assert counter.grown[0] == pytest.approx(300.0)
    assert (counter.doubt[0], counter.events) == (0.0, [Event("gap", 20.0, 80.0)])
    gauge = Track(TWO, counts=False)
    gauge.add([(time_s, 400.0) for time_s, _ in samples])
    assert (gauge.grown[0], gauge.doubt[0]) == pytest.approx((40000.0, 24000.0))


def requests(instance: str, samples: list[tuple[float, float]], why: str = "stop") -> Series:
    labels = {"__name__": "vllm:request_success_total", "finished_reason": why, "instance": instance}
    return Series(labels, samples)


def counted(*series: Series, window: int = 0) -> Count:
    """How many requests ended, by the engines of ``series``."""
    windows = (Span(0.0, 1000.0),)
    engines = EngineTracks(ENGINES["vllm"], windows)
    engines.add(series)
    engines.finish()
    count = engines.count(engines.engine.ended, window)
    assert count is not None
    return count


def test_replicas_are_added_up() -> None:
    count = counted(requests("a", steady(-20, 1020)), requests("b", steady(-20, 1020, 2.0)))
    assert (count.count, count.doubt) == pytest.approx((5000.0, 0.0))


def test_a_kind_of_end_that_comes_late_has_counted_from_0() -> None:
    late = steady(500, 1020, 0.0, began=4.0)
    count = counted(requests("a", steady(-20, 1020)), requests("a", late, "abort"))
    assert (count.count, count.doubt) == pytest.approx((3004.0, 0.0))


def test_an_engine_that_follows_another_goes_on_with_its_count() -> None:
    count = counted(requests("a", steady(-20, 400)), requests("b", steady(430, 1020, began=30.0)))
    assert count.count == pytest.approx(3 * 400 + 30 + 3 * 570)
    # What the first has counted after it was last seen, and what the second had from somewhere.
    assert count.doubt == pytest.approx(2 * 10 * 3 + 30)


def test_an_engine_that_is_seen_no_more_may_have_gone_on() -> None:
    count = counted(requests("a", steady(-20, 600)))
    assert (count.count, count.doubt) == pytest.approx((1800.0, 1200.0))


def test_one_engine_does_not_stand_for_two_that_went() -> None:
    count = counted(
        requests("a", steady(-20, 600)),
        requests("b", steady(-20, 600)),
        requests("c", steady(630, 1020, began=0.0)),
    )
    assert count.doubt == pytest.approx(2 * 3 * 400)


def test_an_engine_that_was_not_seen_before_may_have_counted_all_of_it_before() -> None:
    count = counted(requests("a", steady(-20, 1020)), requests("b", steady(500, 1020, began=9000.0)))
    assert count.doubt == pytest.approx(9000.0)


def test_percentiles_of_lengths_are_the_upper_edges_of_their_buckets() -> None:
    found = distribution_of(buckets({10: 60, 100: 95, 1000: 100, inf: 100}), 44.0)
    assert found is not None
    assert (found.count, found.mean, found.p50, found.p90, found.p99, found.max) == (
        *(100, 44.0),
        *(10.0, 100.0, 1000.0, 1000.0),
    )


@pytest.mark.parametrize("counts", [{10: 60, inf: 61}, {10: 0, inf: 0}, {10: 60}, {inf: 3}])
def test_lengths_beyond_the_last_edge_have_no_distribution(counts: dict[float, float]) -> None:
    assert distribution_of(buckets(counts), 44.0) is None


def test_tokens_are_shared_out_to_the_classes_of_lengths() -> None:
    found = shares(buckets({10: 60, 20: 60, 100: 100, inf: 101}), 5400.0)
    assert [one[:3] for one in found] == [(0.0, 10, 60), (20, 100, 40), (100, inf, 1)]
    assert sum(part for *_, part in found) == pytest.approx(5400.0)
    # Middles of 5, 60 and 150 tokens.
    assert found[0][3] == pytest.approx(5400 * 300 / 2850)


def buckets(counts: dict[float, float]) -> dict[float, Count]:
    return {edge: Count(count, 0.0) for edge, count in counts.items()}
