"""Replies of all kinds read: the queries that they answer, and their tokens, told, given or counted."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.errors import WhqError
from pytest_whq.model import TokenCount
from pytest_whq.queries.drained_stream import drain
from pytest_whq.queries.query import Answered, Query, Timing
from pytest_whq.queries.reply_reader import ReplyReader
from pytest_whq.queries.request import Asked, asked_by
from pytest_whq.queries.tally import Tally
from pytest_whq.testing import FakeClock
from pytest_whq.tokens.tokenizer import Tokenizer

READ = TokenCount(12, 5, 3, 1)
SILENT = (
    'a stream did not tell its tokens: the OpenAI client\'s does with stream_options={"include_usage": True}'
)
TEXT = "text does not tell its input tokens: give them, as in window.record(reply, input_tokens=...)"


def ollama(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {"prompt_eval_count": input_tokens, "eval_count": output_tokens}


def chunk(content: str, **usage: int) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content}
    return {"object": "chat.completion.chunk", "choices": [{"delta": delta}], "usage": usage or None}


@pytest.fixture
def reader() -> ReplyReader:
    """A plugin's reader takes counts themselves for replies."""
    return ReplyReader(lambda reply: reply if isinstance(reply, TokenCount) else None)


def by_letters() -> ReplyReader:
    return ReplyReader(tokenizer=Tokenizer("letters", len))


@pytest.mark.parametrize(
    ("reply", "given", "tokens"),
    [
        pytest.param(READ, {}, READ, id="by a plugin"),
        pytest.param(ollama(3, 4), {}, TokenCount(3, 4), id="by a built-in reader"),
        pytest.param(READ, {"output_tokens": 7}, TokenCount(12, 7, 3, 1), id="one of them given"),
        pytest.param("a cat", {"input_tokens": 1, "output_tokens": 2}, TokenCount(1, 2), id="both given"),
        pytest.param(None, {"output_tokens": 7}, TokenCount(None, 7), id="one given, no reply"),
        pytest.param(READ, {"input_tokens": 0, "output_tokens": 0}, TokenCount(0, 0), id="zeros"),
    ],
)
def test_tokens_are_read_from_the_reply_where_they_are_not_given(
    reader: ReplyReader, reply: object, given: dict[str, Any], tokens: TokenCount
) -> None:
    assert list(reader.read(reply, **given).queries) == [Query(tokens)]
    assert reader.read(reply, **given).unreadable is None


@pytest.mark.parametrize(
    ("reply", "given", "tokens", "why"),
    [
        ("a cat", {}, TokenCount(), "nobody can read tokens from a reply of type builtins.str: pass "),
        ("a cat", {"output_tokens": 7}, TokenCount(None, 7), "nobody can read tokens from a reply of type"),
        (None, {}, TokenCount(), "a query was recorded without its reply or its token counts"),
    ],
)
def test_a_reply_that_nobody_reads_is_a_query_with_the_tokens_given_and_a_reason(
    reader: ReplyReader, reply: object, given: dict[str, Any], tokens: TokenCount, why: str
) -> None:
    answered = reader.read(reply, **given)
    assert list(answered.queries) == [Query(tokens)]
    assert (answered.unreadable or "").startswith(why)


def test_a_list_of_replies_is_one_query_each(reader: ReplyReader) -> None:
    answered = reader.read([ollama(3, 4), ollama(5, 6)], timing=Timing(0.5), asked=Asked(limit=8))
    assert answered == Answered(
        [Query(TokenCount(3, 4), Timing(0.5), limit=8), Query(TokenCount(5, 6), Timing(0.5), limit=8)]
    )


@pytest.mark.parametrize("replies", [[ollama(3, 4), ollama(5, 6)], ["a cat", "a dog"]])
def test_tokens_are_not_given_for_a_list_of_replies(reader: ReplyReader, replies: list[Any]) -> None:
    with pytest.raises(WhqError) as caught:
        reader.read(replies, output_tokens=7)
    assert str(caught.value) == (
        "input_tokens and output_tokens are those of one query: record the replies of a list singly."
    )


@pytest.mark.parametrize("count", [-1, 1.5, "12", True, float("nan"), 2**63])
def test_a_count_of_tokens_is_a_whole_number(reader: ReplyReader, count: Any) -> None:
    with pytest.raises(WhqError) as caught:
        reader.read(READ, output_tokens=count)
    assert str(caught.value) == f"output_tokens must be a whole number from 0 to 1000000000, not {count!r}."


def test_what_only_the_call_tells_is_read_where_nobody_else_reads_it(reader: ReplyReader) -> None:
    asked = Asked(read=lambda reply: (TokenCount(1, 2), TokenCount(3, 4)))
    assert [query.tokens for query in reader.read("a cat", asked=asked).queries] == [
        TokenCount(1, 2),
        TokenCount(3, 4),
    ]
    assert [query.tokens for query in reader.read(READ, asked=asked).queries] == [READ]


def test_texts_are_counted_by_the_tokenizer_and_their_input_may_be_given() -> None:
    answered = by_letters().read(["a cat", "a bird"])
    assert answered.queries == [Query(TokenCount(None, length), counted=True) for length in (5, 6)]
    assert answered.unreadable == TEXT
    told = by_letters().read("a cat", input_tokens=3)
    assert told == Answered([Query(TokenCount(3, 5), counted=True)])
    assert by_letters().read("a cat", output_tokens=3).queries == [Query(TokenCount(None, 3))]


def test_texts_that_are_samples_of_one_prompt_are_one_query() -> None:
    answered = by_letters().read(["a cat", "a bird"], asked=Asked(samples=2))
    assert answered.queries == [Query(TokenCount(None, 11), counted=True)]
    assert len(by_letters().read(["a cat", "a bird", "a dog"], asked=Asked(samples=2)).queries) == 3


@pytest.mark.parametrize(
    ("args", "kwargs", "samples"),
    [
        (("p",), {}, 1),
        (("p",), {"n": 3}, 3),
        (("p", {"n": 3}), {}, 3),
        (("p",), {"sampling_params": {"n": 3}}, 3),
        (("url",), {"json": {"text": "p", "sampling_params": {"n": 3}}}, 3),
        ((), {"num_return_sequences": 2}, 2),
        (("p",), {"n": True}, 1),
    ],
)
def test_a_call_tells_how_many_samples_it_asks_for(args: Any, kwargs: dict[str, Any], samples: int) -> None:
    assert asked_by(print, args, kwargs).samples == samples


@pytest.mark.parametrize("drained", [True, False])
@pytest.mark.parametrize(
    ("chunks", "tokens", "why"),
    [
        ([chunk("a"), chunk("b", prompt_tokens=7, completion_tokens=3)], TokenCount(7, 3), None),
        ([chunk("a"), chunk("b")], TokenCount(None, 2), TEXT),
        (["a ", "cat"], TokenCount(None, 5), TEXT),
        ([chunk("a"), b"b"], TokenCount(), SILENT),
    ],
)
def test_a_stream_is_one_query_however_it_is_read(
    drained: bool, chunks: list[Any], tokens: TokenCount, why: str | None
) -> None:
    clock, tally = FakeClock(0.0), Tally()

    def stream() -> Iterator[Any]:
        for one in chunks:
            clock.sleep(0.5)
            yield one

    if drained:
        tally.count(by_letters().read(drain(stream(), clock.now, 0.0)))
    else:
        assert list(by_letters().follow(stream(), tally, clock.now, 0.0)) == chunks
    assert (tally.queries, tally.tokens, tally.under_way) == (1, tokens, set())
    assert tally.unreadable == why


def test_counts_given_for_a_followed_stream_stand_before_what_it_tells(reader: ReplyReader) -> None:
    tally = Tally()
    stream = iter([chunk("a", prompt_tokens=7, completion_tokens=3)])
    list(reader.follow(stream, tally, FakeClock().now, 0.0, output_tokens=9))
    assert tally.tokens == TokenCount(7, 9)


@pytest.mark.parametrize(
    ("end", "kind"), [("fail", "ValueError"), ("close", "abandoned stream"), ("lose", "abandoned stream")]
)
def test_a_followed_stream_that_does_not_come_to_its_end_has_failed_once(
    reader: ReplyReader, end: str, kind: str
) -> None:
    tally = Tally()

    def stream() -> Iterator[str]:
        yield "a"
        raise ValueError("no")

    followed = reader.follow(stream(), tally, FakeClock().now, 0.0)
    next(followed)
    assert len(tally.under_way) == 1
    if end == "fail":
        with pytest.raises(ValueError, match="no"):
            next(followed)
    elif end == "close":
        followed.close()
    del followed
    assert (tally.queries, dict(tally.failures), tally.under_way) == (0, {kind: 1}, set())


@pytest.mark.parametrize("count", [(3, 4), TokenCount(-1, 2), TokenCount(1.5, 2), TokenCount(2**63, 2)])  # type: ignore[arg-type]
def test_what_a_plugin_returns_must_be_a_count_of_whole_numbers(count: object) -> None:
    with pytest.raises(WhqError) as caught:
        ReplyReader(lambda reply: count).read("a cat")
    assert str(caught.value) == (
        f"pytest_whq_read_tokens must return a TokenCount of whole numbers, or None, not {count!r}."
    )


RATE_LIMITED = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}


class TestErrors:
    """Replies that are an error in place of an answer."""

    def test_a_refusal_has_failed_whatever_is_given_or_a_plugin_says(self) -> None:
        refused = SimpleNamespace(status_code=429, headers={})
        found = ReplyReader(lambda _: READ).read(refused, input_tokens=1, output_tokens=2)
        assert found == Answered((), failures=("HTTP 429",))

    def test_a_body_that_a_plugin_can_read_is_an_answer(self) -> None:
        assert ReplyReader(lambda _: READ).read(RATE_LIMITED) == Answered([Query(READ)])

    def test_a_body_has_failed_unless_the_test_gives_all_its_tokens(self, reader: ReplyReader) -> None:
        failed = Answered((), failures=("error rate_limit_exceeded",))
        assert reader.read(RATE_LIMITED) == failed._replace(queries=[])
        assert reader.read(RATE_LIMITED, input_tokens=4, output_tokens=2).queries == (
            Query(TokenCount(4, 2)),
        )

    def test_of_a_list_those_that_failed_are_counted_beside_the_others(self, reader: ReplyReader) -> None:
        around = Tally()
        tally = Tally(around)
        replies = [ollama(3, 4), RATE_LIMITED, ConnectionError()]
        assert reader.receive(replies, tally, FakeClock().now) is replies
        for each in (tally, around):
            assert each.tokens == TokenCount(3, 4)
            assert each.failures == {"error rate_limit_exceeded": 1, "ConnectionError": 1}

    def test_a_stream_has_failed_that_ends_in_one(self, reader: ReplyReader) -> None:
        tally, chunks = Tally(), [chunk("a"), RATE_LIMITED]
        assert list(reader.receive(iter(chunks), tally, FakeClock().now)) == chunks
        assert tally.failures == {"error rate_limit_exceeded": 1}
        drained = drain(iter(chunks), FakeClock().now, 0.0)
        assert reader.read(drained) == Answered((), failures=("error rate_limit_exceeded",))
        assert drained.chunks == chunks

    def test_an_unread_response_that_is_a_refusal_needs_not_be_read(self) -> None:
        requests = pytest.importorskip("requests")
        response = requests.Response()
        response.status_code = 503
        assert ReplyReader().read(response) == Answered((), failures=("HTTP 503",))
