"""What a measurement learns from the engine that answered its queries."""

from dataclasses import replace
from typing import Any

import pytest
from samples import a_record

from pytest_whq.measuring.combined import combine
from pytest_whq.measuring.server_work import Sent, joined_work, sent_of, with_server
from pytest_whq.model import Measurement, Reason, TokenCount
from pytest_whq.model.serving import ServerWork

SILENT = TokenCount()
WORK = ServerWork("vLLM", 20, 0, 2000, 1000, 500, 1500)


def measured(tokens: TokenCount = SILENT, **changes: Any) -> Measurement:
    missing = Reason("tokens_missing", "the replies do not tell their tokens")
    reasons = (missing,) if tokens.input_tokens is None or tokens.output_tokens is None else ()
    figures = {"queries": 20, "tokens": tokens, "reasons": reasons, "notes": (), **changes}
    return a_record("test_it.py::test_chat", **figures).measurement


def sent(tokens: TokenCount = SILENT, queries: int = 20, failed: int = 0) -> Sent:
    return Sent(queries, failed, tokens)


def test_tokens_that_replies_do_not_tell_are_the_engine_s_and_marked_so() -> None:
    found = with_server(measured(), WORK, sent())
    assert found.tokens == TokenCount(2000, 1000, 500)
    assert found.server == replace(
        WORK, foreign_queries=0, fills=("input_tokens", "output_tokens", "cached_input_tokens")
    )
    assert found.notes == (
        "input and output and cached input tokens are as vLLM counted them: the replies do not tell them",
    )
    assert not found.has("tokens_missing")
    assert found.metric("j_per_output_token") is not None


def test_of_a_load_the_window_gets_its_queries_share() -> None:
    found = with_server(measured(), replace(WORK, queries=80), sent(queries=80))
    assert found.tokens == TokenCount(500, 250, 125)
    assert found.notes[0].endswith("of all 80 queries of the load, by the share of the 20 in the window")


def test_a_window_in_which_no_query_ended_has_none_of_its_tokens() -> None:
    found = with_server(measured(queries=0), replace(WORK, queries=80), sent(queries=80))
    assert found.tokens == SILENT
    assert found.has("tokens_missing")


def test_tokens_that_replies_tell_are_left_as_they_are() -> None:
    told = TokenCount(2000, 1000, 480)
    found = with_server(measured(told), WORK, sent(told))
    assert (found.tokens, found.notes) == (told, ())
    assert found.server is not None
    assert found.server.fills == ()


def test_a_difference_to_what_replies_tell_is_named() -> None:
    told = TokenCount(2000, 1250, 480)
    found = with_server(measured(told), WORK, sent(told))
    assert found.tokens == told
    assert found.notes == (
        (
            "replies tell 1,250 output tokens, vLLM counted 1,000 (+25.0 %): "
            "the figure is by those of the replies"
        ),
    )


def test_cached_tokens_are_the_engine_s_where_the_reply_is_silent_on_them() -> None:
    told = TokenCount(2000, 1000)
    found = with_server(measured(told), WORK, sent(told))
    assert found.tokens.cached_input_tokens == 500
    assert found.notes == ("cached input tokens are as vLLM counted them: the replies do not tell them",)


def test_what_no_cache_held_is_told_without_a_sentence() -> None:
    told = TokenCount(2000, 1000)
    work = replace(WORK, cached_input_tokens=0, prefilled_tokens=2000)
    found = with_server(measured(told), work, sent(told))
    assert (found.tokens.cached_input_tokens, found.notes) == (0, ())


def test_an_engine_that_counts_computed_tokens_alone_tells_the_cached_ones_by_the_replies() -> None:
    told = TokenCount(2000, 1000)
    work = ServerWork("llama.cpp", output_tokens=1000, prefilled_tokens=1400)
    found = with_server(measured(told), work, sent(told))
    assert found.tokens.cached_input_tokens == 600


def test_more_cached_tokens_than_there_were_are_not_known() -> None:
    told = TokenCount(400, 1000)
    found = with_server(measured(told), WORK, sent(told))
    assert found.tokens.cached_input_tokens is None


def test_queries_of_others_are_named_and_their_tokens_not_taken_for_the_test_s() -> None:
    found = with_server(measured(), replace(WORK, queries=27), sent(failed=2))
    assert found.server is not None
    assert found.server.foreign_queries == 5
    (reason,) = [one for one in found.reasons if one.code == "foreign_queries"]
    assert reason.sentence == (
        "vLLM answered 5 queries of others beside the 22 of the test: what they took is in the figure"
    )
    assert (found.tokens, found.valid) == (SILENT, True)
    assert found.has("tokens_missing")


def silence(found: Measurement) -> str:
    """Why the engine tells nothing."""
    (reason,) = [one for one in found.reasons if one.code == "server_silent"]
    return reason.sentence


def test_an_engine_that_did_nothing_is_named() -> None:
    for work in (replace(WORK, queries=0), ServerWork("llama.cpp", output_tokens=0)):
        found = with_server(measured(), work, sent())
        assert silence(found) == (
            f"{work.engine} did no work while the window was open: the queries were answered elsewhere"
        )
        assert found.tokens == SILENT


def test_one_of_several_engines_is_not_taken_for_all_of_them() -> None:
    found = with_server(measured(), replace(WORK, queries=11), sent())
    assert silence(found).startswith("vLLM counted 11 of the 20 queries: the others were answered elsewhere")
    assert found.tokens == SILENT


def test_tokens_of_failed_queries_are_not_taken_for_those_of_the_others() -> None:
    found = with_server(measured(), WORK, sent(failed=1))
    assert found.notes == (
        "the tokens that vLLM counted are not used, since those of failed queries are in it",
    )


def test_without_a_count_of_queries_others_may_be_in_the_tokens() -> None:
    work = ServerWork("llama.cpp", None, None, 2000, 1000, 500, 1500)
    found = with_server(measured(), work, sent())
    assert found.notes[0].endswith("; those of others' queries, if there were any, are in them")
    assert found.server is not None
    assert found.server.foreign_queries is None


def test_why_the_engine_tells_nothing_is_a_reason() -> None:
    found = with_server(measured(), "whq_server: http://node/metrics does not answer.", sent())
    assert silence(found) == "whq_server: http://node/metrics does not answer."
    assert (found.valid, found.server, found.tokens) == (True, None, SILENT)


def test_several_windows_are_told_together() -> None:
    each = [with_server(measured(), replace(WORK, queries=queries), sent()) for queries in (22, 20, 23)]
    whole = combine(each)
    assert whole.server is not None
    assert (whole.server.queries, whole.server.foreign_queries) == (65, 5)
    (reason,) = [one for one in whole.reasons if one.code == "foreign_queries"]
    assert reason.sentence.startswith("vLLM answered 5 queries of others beside the 60 of the test")


@pytest.mark.parametrize("other", [None, replace(WORK, engine="SGLang")])
def test_where_one_window_does_not_tell_all_together_do_not(other: ServerWork | None) -> None:
    assert joined_work([WORK, other]) is None


def test_what_was_sent_is_the_sum_of_its_parts() -> None:
    parts = [(2, 1, TokenCount(10, 4)), (0, 0, SILENT), (3, 0, TokenCount(20, None))]
    assert sent_of(parts) == Sent(5, 1, TokenCount(30, None))
