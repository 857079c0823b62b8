"""What a prompt cache answered: its share, the limit of it, and where nobody tells, that inputs repeat."""

from dataclasses import replace

import pytest
from samples import a_record

from pytest_whq.measuring.prompt_cache import cache_notes, cached_reasons
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.queries.inputs import InputLog


def with_cached(cached: int | None) -> Measurement:
    return replace(a_record().measurement, tokens=TokenCount(1000, 500, cached))


def asked(*prompts: int) -> InputLog:
    log = InputLog()
    for prompt in prompts:
        log.add(prompt)
    return log


def sentences(measurement: Measurement, max_cached: float) -> list[str]:
    return [reason.sentence for reason in cached_reasons(measurement, max_cached)]


def test_cached_input_is_told_as_a_share() -> None:
    assert list(cache_notes(with_cached(250), asked(1, 1))) == [
        "25.0 % of the input tokens came from a cache and cost next to nothing"
    ]
    assert list(cache_notes(with_cached(0), asked(1, 1))) == []


def test_where_nobody_tells_it_repeated_inputs_are_told() -> None:
    [note] = cache_notes(with_cached(None), asked(1, 1, 2))
    assert note == (
        "1 of 3 queries asked what was asked before, and the replies do not tell cached tokens: "
        "a prompt cache answers them for less; vary gives each call its own input"
    )
    assert list(cache_notes(with_cached(None), asked(1, 2, 3))) == []
    assert list(cache_notes(with_cached(None), asked())) == []


@pytest.mark.parametrize("max_cached", [0.0, 0.2])
def test_more_than_the_limit_is_a_reason(max_cached: float) -> None:
    allowed = f"of which max_cached allows {100 * max_cached:.1f} %"
    assert sentences(with_cached(250), max_cached) == [
        f"25.0 % of the input tokens came from a cache, {allowed}"
    ]


def test_up_to_the_limit_there_is_none() -> None:
    assert sentences(with_cached(250), 0.25) == []
    assert sentences(with_cached(0), 0.0) == []


def test_what_is_not_told_is_not_within_the_limit() -> None:
    what = "the replies do not tell cached input tokens, of which max_cached allows 50.0 %"
    assert sentences(with_cached(None), 0.5) == [what]
    assert sentences(with_cached(None), 1.0) == []
    assert sentences(replace(with_cached(None), queries=0), 0.5) == []
