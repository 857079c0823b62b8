"""How times and lengths are spread."""

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.model.serving import Distribution
from pytest_whq.queries.query import Query, Timing
from pytest_whq.queries.query_log import QueryLog, distribution


def test_percentiles_are_values_that_occurred() -> None:
    assert distribution(range(1, 101)) == Distribution(100, 50.5, 50.0, 90.0, 99.0, 100.0)
    assert distribution([5.0]) == Distribution(1, 5.0, 5.0, 5.0, 5.0, 5.0)
    assert distribution([]) is None


def test_only_what_is_known_of_a_query_is_spread() -> None:
    log = QueryLog()
    log.add(Query(TokenCount(10, 5), Timing(2.0, 1.0, 0.8, 3)))
    log.add(Query(TokenCount(None, 1), Timing(3.0)))
    found = log.distributions()
    assert found is not None
    assert found.latency_s == Distribution(2, 2.5, 2.0, 3.0, 3.0, 3.0)
    assert found.ttft_s == Distribution(1, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert found.tpot_s == Distribution(1, 0.2, 0.2, 0.2, 0.2, 0.2)
    assert found.between_chunks_s == Distribution(1, 0.4, 0.4, 0.4, 0.4, 0.4)
    assert found.input_tokens == Distribution(1, 10.0, 10.0, 10.0, 10.0, 10.0)
    assert found.output_tokens is not None
    assert found.output_tokens.mean == pytest.approx(3.0)


def test_distributions_say_which_are_known() -> None:
    log = QueryLog()
    log.add(Query(TokenCount(None, 5), Timing(2.0, 1.0, 0.8, 3)))
    found = log.distributions()
    assert found is not None
    assert [name in found for name in ("ttft_s", "latency_s", "input_tokens", "count", 5)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_an_empty_log_has_no_distributions() -> None:
    assert QueryLog().distributions() is None


def test_a_stream_of_two_tokens_has_one_time_between_them_and_one_of_a_single_token_has_none() -> None:
    log = QueryLog()
    log.add(Query(TokenCount(10, 2), Timing(1.8, 1.0, 0.8, 2)))
    log.add(Query(TokenCount(10, 1), Timing(1.0, 1.0, 0.0, 1)))
    found = log.distributions()
    assert found is not None
    assert found.tpot_s == found.between_chunks_s == Distribution(1, 0.8, 0.8, 0.8, 0.8, 0.8)
