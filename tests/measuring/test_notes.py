"""The sentences that keep a figure from misleading."""

from dataclasses import replace

from pytest_whq.measuring.notes import notes_of
from pytest_whq.model import Measurement, TokenCount
from pytest_whq.queries.output_lengths import OutputLengths
from pytest_whq.queries.query import Query
from pytest_whq.queries.request import output_limit

PLAIN = Measurement(
    method="counter",
    energy_j=100.0,
    net_energy_j=None,
    uncertainty_j=1.0,
    duration_s=1.0,
    queries=10,
    failed_queries=0,
    tokens=TokenCount(1000, 500),
    devices=(),
    rounds=(),
)


def outputs(*lengths: int, limit: int | None = None, cut: bool = False) -> OutputLengths:
    found = OutputLengths()
    for length in lengths:
        found.add(Query(TokenCount(10, length), None, cut, limit))
    return found


def test_a_plain_measurement_needs_no_note() -> None:
    assert notes_of(PLAIN, outputs(10, 20, 30)) == ()


def test_failures_are_named_by_kind() -> None:
    failed = replace(PLAIN, failures={"TimeoutError": 2, "abandoned stream": 1})
    assert notes_of(failed, outputs(1)) == (
        "failed queries are not counted as queries, but their energy is counted: "  # noqa: ISC004
        "2 TimeoutError, 1 abandoned stream",
    )


def test_outputs_of_exactly_max_tokens_look_like_ignore_eos() -> None:
    assert notes_of(PLAIN, outputs(*[128] * 10, limit=128, cut=True)) == (
        "all 10 outputs are 128 tokens long, which is max_tokens: as with ignore_eos, "  # noqa: ISC004
        "that is not how long users' answers are",
    )


def test_cut_outputs_are_counted() -> None:
    found = outputs(10, 20, 30)
    found.include(outputs(64, cut=True))
    assert notes_of(PLAIN, found) == ("max_tokens cut 1 of 4 outputs short",)


def test_outputs_shorter_than_asked_for_are_told_with_both_lengths() -> None:
    assert notes_of(PLAIN, outputs(80, 100, limit=100)) == (
        "outputs are 90 tokens long on average, of the 100 that max_tokens allows",
    )


def test_the_limit_of_a_call_is_read_from_its_arguments() -> None:
    assert output_limit({"max_tokens": 64}) == 64
    assert output_limit({"max_completion_tokens": 32, "max_tokens": None}) == 32
    assert output_limit({"max_tokens": "64", "temperature": 0}) is None
